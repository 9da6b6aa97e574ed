"""Merges experts of other tokens under every policy, and takes transformers and lm_eval through what comes out.

    python test/parity/vocabulary.py [--to <report.md>] [family ...]

For each family: a random base; an expert that was given two tokens as people give them for chats (`add_special_tokens`,
`resize_token_embeddings`), one that was given another and padded embeddings, and where heads are tied, the latter with a head of
its own. They are searched and exported with the tokenizer of the base, of the first expert and of all. The export is loaded by
transformers, where no tensor may be missing, unexpected or of another shape, and every token has the row of its id; it tokenises
texts with the added tokens as the model that they come from does; its log-probabilities of these tokens, and its scores on tasks of
the demo, are those of evomerge. Prints a table and exits with 1 where anything differs. Run from anywhere, offline, with the
packages of requirements.txt.
"""

import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("families_parity", HERE / "families.py")
families = importlib.util.module_from_spec(spec)
spec.loader.exec_module(families)
parity, kinds, ROOT = families.parity, families.kinds, families.ROOT

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: E402

FAMILIES = {name: families.FAMILIES[name] for name in ("llama", "mistral", "qwen2", "gemma", "flan-t5")}
CHAT, TOOL = ["<|chat_start|>", "<|chat_end|>"], ["<|tool|>"]
POLICIES = {"base": [], "union": CHAT + TOOL, "chat": CHAT}
TEXT = f"{CHAT[0]}user\nWhere is the fox?{CHAT[1]} {TOOL[0]} in the barn"
TOLERANCE = 1e-4  # nats of a token, f32
ROUNDINGS = 4  # or as many times what transformers is off by in f32
COLUMNS = ["family", "tokenizer", "tokens", "rows", "heads", "acc", "gap of choices", "bits per byte", "gap of texts", "gap of added tokens",
           "of f32 in transformers", "of weights off by 2^-25"]  # fmt: skip
INTRODUCTION = """# Experts of other tokens

`test/parity/vocabulary.sh --to test/parity/VOCABULARY.md` makes a tiny random base of each family, an expert with two more tokens
(`<|chat_start|>`, `<|chat_end|>`) and one with another (`<|tool|>`), embeddings padded to a multiple of 64 and a head of its own,
as transformers makes them, and lets evomerge search and export under each policy of `tokenizer`. transformers loads every export
with nothing missing, unexpected or of another shape; a text with all three tokens has the ids that it has for the model whose
tokenizer it is; `acc` and bits per byte are lm_eval's and evomerge's alike. Gaps are the largest between two log-likelihoods, in
nats; that of added tokens is between transformers in f64 and `evomerge logprobs`, on that text, and may be 1e-4, or four times what
transformers itself is off by in f32. Models are random, so their scores say nothing of merging.

The columns behind it are what these values in f64 are away from transformers' own in f32, and from those where every weight is off by
a part of 2^-25 or so, which is less than f32 can tell: as much is lost to f32's rounding by whoever computes in it.

"""


def write_models(folder: Path, tokenizer: Path, config) -> None:
    """A base and two experts, which are the base, noise, and tokens of their own."""
    torch.manual_seed(1)
    make = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    base = make.from_config(config)
    separate_head(base)
    for name, weight in base.named_parameters():
        mean = "norm" in name and "gemma" not in config.model_type
        weight.data = mean + 0.2 * torch.randn_like(weight)
    save(base, AutoTokenizer.from_pretrained(tokenizer), folder / "base")
    for name, tokens, multiple in (("chat", CHAT, None), ("tool", TOOL, 64)):
        model = make.from_pretrained(folder / "base", dtype=torch.float32)
        own = AutoTokenizer.from_pretrained(folder / "base")
        own.add_special_tokens({"additional_special_tokens": tokens}, replace_extra_special_tokens=False)
        if name == "tool":
            untie(model)
        model.resize_token_embeddings(len(own), pad_to_multiple_of=multiple, mean_resizing=False)
        for weight in model.parameters():
            weight.data += 0.05 * torch.randn_like(weight)
        for weight in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            weight.data[config.vocab_size :] = 0.2 * torch.randn_like(weight.data[config.vocab_size :])
        model.config.eos_token_id = own.convert_tokens_to_ids(tokens[-1])
        save(model, own, folder / name)


def separate_head(model) -> None:
    if getattr(model.config, "scale_decoder_outputs", True) is False:
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))


def untie(model) -> None:
    """A head of its own, which begins as the embedding."""
    if model.config.is_encoder_decoder or not model.config.tie_word_embeddings:
        return
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(model.get_input_embeddings().weight.data.clone())


def save(model, tokenizer, folder: Path) -> None:
    model.to(torch.bfloat16).save_pretrained(folder)
    model.float()
    tokenizer.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def search(folder: Path, policy: str) -> Path:
    """The export of a short search."""
    demo = ROOT / "experiments" / "demo"
    experiment = {
        "name": "tokens", "base": "base", "experts": {"chat": "chat", "tool": "tool"}, "tokenizer": policy,
        "space": {"method": "task_arithmetic", "groups": [["attention", "mlp", "norm", "embedding"]], "depth": "constant"},
        "tasks": {"choices": {"rows": str(demo / "cosmosqa.search.jsonl"), "guard": str(demo / "cosmosqa.guard.jsonl")}},
        "search": {"algorithm": "cma-es", "population": 4, "rowFraction": 0.05},
        "budget": {"evaluations": 8}, "seed": 1, "precision": "f32",
    }  # fmt: skip
    (folder / "experiment.yaml").write_text(json.dumps(experiment))
    out = folder / f"run-{policy}"
    evomerge("run", str(folder / "experiment.yaml"), "--out", str(out), "--export", "--json")
    return out / "best"


def evomerge(*arguments: str) -> str:
    command = ["node", "--import", "tsx", "src/cli/main.ts", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
    return done.stdout


def faults_of(export: Path, folder: Path, policy: str, config) -> list[str]:
    """What of configuration, embeddings and tokenizer does not agree."""
    found = families.loading_faults(export, config)
    model = (AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM).from_pretrained(export)
    tokenizer, base = AutoTokenizer.from_pretrained(export), AutoTokenizer.from_pretrained(folder / "base")
    rows = {weight.weight.shape[0] for weight in (model.get_input_embeddings(), model.get_output_embeddings())}
    if rows != {model.config.vocab_size} or len(tokenizer) > model.config.vocab_size:
        found.append(f"{len(tokenizer)} tokens, rows {rows}, vocab_size {model.config.vocab_size}")
    added = sorted(set(tokenizer.get_vocab()) - set(base.get_vocab()))
    if added != sorted(POLICIES[policy]):
        found.append(f"added tokens {added}")
    if {token: tokenizer.get_vocab()[token] for token in base.get_vocab()} != base.get_vocab():
        found.append("tokens of the base have other ids")
    expected = base if policy == "base" else tokenizer if policy == "union" else AutoTokenizer.from_pretrained(folder / policy)
    if tokenizer(TEXT)["input_ids"] != expected(TEXT)["input_ids"]:
        found.append("texts have other ids than their tokenizer's")
    ids = tokenizer(TEXT)["input_ids"]
    if policy != "base" and [ids.count(tokenizer.get_vocab()[token]) for token in POLICIES[policy]] != [1] * len(added):
        found.append(f"added tokens are not found in {ids}")
    if policy == "chat" and model.config.eos_token_id != tokenizer.convert_tokens_to_ids(CHAT[-1]):
        found.append(f"eos_token_id {model.config.eos_token_id}")
    return found


def gaps_of_added(export: Path, config) -> list[float]:
    """How far log-probabilities on a text with all added tokens are from those in f64: evomerge's, transformers' in f32, and those
    of weights that are off by half a rounding of f32."""
    ids = AutoTokenizer.from_pretrained(export)(TEXT)["input_ids"]
    make = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = make.from_pretrained(export, dtype=torch.float32).eval()
    decoded = [config.decoder_start_token_id, *ids] if config.is_encoder_decoder else []
    asked = {"encoder": ids, "decoder": decoded} if decoded else ids
    in_f32, in_f64 = log_probabilities(model, ids, decoded), log_probabilities(model.double(), ids, decoded)
    for weight in model.parameters():
        weight.data *= 1 + 2**-25 * torch.randn_like(weight)
    moved = log_probabilities(model, ids, decoded)
    found = json.loads(evomerge("logprobs", str(export), "--ids", json.dumps(asked)))
    found = found["logProbabilities"] if isinstance(found, dict) else found
    return [(values.double() - in_f64).abs().max().item() for values in (torch.tensor(found, dtype=torch.float64), in_f32, moved)]


def log_probabilities(model, ids: list[int], decoded: list[int]) -> torch.Tensor:
    """Of each token that a model predicts; `decoded` is what a decoder reads of them."""
    read = torch.tensor([ids])
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            logits, targets = model(input_ids=read, decoder_input_ids=torch.tensor([decoded[:-1]])).logits[0], ids
        else:
            logits, targets = model(read).logits[0, :-1], ids[1:]
    return logits.log_softmax(-1)[range(len(targets)), targets]


def heads_of(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    return "tied" if config.get("tie_word_embeddings", config["model_type"] == "gemma") else "own"


def main() -> int:
    options = families.read_options(__doc__, FAMILIES)
    logging.disable(logging.WARNING)
    lines, faults = [], []
    parity.os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as name:
        tokenizers = kinds.written_folders(Path(name, "tokenizers"))
        configs = {}
        for family in options.families or FAMILIES:
            kind, class_name, settings = FAMILIES[family]
            size = len(AutoTokenizer.from_pretrained(tokenizers[kind]))
            configs[family] = getattr(transformers, class_name)(vocab_size=size, **settings)
            write_models(Path(name, family), tokenizers[kind], configs[family])
        # From here on nothing is tied that a T5 has apart: written so, its embeddings would be three.
        families.keep_heads_apart()
        for family, config in configs.items():
            folder = Path(name, family)
            parents = ", ".join(heads_of(folder / parent) for parent in ("base", "chat", "tool"))
            for policy in POLICIES:
                export = search(folder, policy)
                own = faults_of(export, folder, policy, config)
                compared = {task: parity.compare(str(export), task, False, False) for task in ("demo_mmlu", "demo_texts")}
                own += [fault for _, unequal in compared.values() for fault in unequal]
                (_, choices), (_, texts) = (table for table, _ in compared.values())
                gap, rounding, moved = gaps_of_added(export, config)
                if not gap <= max(TOLERANCE, ROUNDINGS * rounding):
                    own.append(f"log-probabilities of added tokens differ by {gap}")
                tokens = len(AutoTokenizer.from_pretrained(export))
                rows = json.loads((export / "config.json").read_text())["vocab_size"]
                heads = f"{parents}: {heads_of(export)}"
                gaps = [f"{one:.1e}" for one in (gap, rounding, moved)]
                lines.append([family, policy, str(tokens), str(rows), heads, choices[1], choices[-1], texts[1], texts[-1], *gaps])
                print("\t".join(lines[-1]), flush=True)
                for fault in own:
                    print(f"{family}, {policy}: {fault}", flush=True)
                faults += own
    if options.to:
        table = [COLUMNS, ["---"] * len(COLUMNS), *lines]
        options.to.write_text(INTRODUCTION + "\n".join(f"| {' | '.join(line)} |" for line in table) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
