"""Takes a tiny model of every family through a whole run, and lm_eval through what comes out of it.

    python test/parity/families.py [--to <report.md>] [family ...]

For each family: a random base and two experts, with the tokenizer of its kind (test/fixtures/model/token-ids.json); a search by
gradient on rows of the demo, its verdict and export; the export loaded by transformers, where no tensor may be missing, unexpected
or of another shape; and the export scored by `evomerge score` and by lm_eval, on choices and on texts that are longer than
the window. Prints a table and exits with 1 where anything differs. Run from anywhere, offline, with the packages of
requirements.txt.
"""

import argparse
import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "test" / "fixtures" / "model")]

import make_token_ids as kinds  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: E402

from t5_models import keep_heads_apart  # noqa: E402

spec = importlib.util.spec_from_file_location("lm_eval_parity", HERE / "lm-eval.py")
parity = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parity)

WINDOW = 96
BUDGET = "40s"
SIZES = dict(hidden_size=48, intermediate_size=64, num_hidden_layers=3, num_attention_heads=3, num_key_value_heads=1,
             max_position_embeddings=WINDOW)
T5 = dict(d_model=48, d_kv=12, d_ff=64, num_layers=2, num_decoder_layers=3, num_heads=3, n_positions=WINDOW, decoder_start_token_id=0)
FAMILIES = {  # its tokenizer, and its config
    "llama": ("llama-3", "LlamaConfig", dict(SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=False)),
    "mistral": ("mistral", "MistralConfig", dict(SIZES, sliding_window=24, tie_word_embeddings=False)),
    "qwen2": ("qwen-2", "Qwen2Config", dict(SIZES, tie_word_embeddings=True)),
    "phi3": ("phi-3", "Phi3Config", dict(SIZES, sliding_window=40, tie_word_embeddings=False, original_max_position_embeddings=WINDOW,
                                         pad_token_id=None, bos_token_id=None, eos_token_id=None)),
    "gemma": ("gemma", "GemmaConfig", dict(SIZES, head_dim=24)),
    "gemma2": ("gemma", "Gemma2Config", dict(SIZES, head_dim=24, query_pre_attn_scalar=24, sliding_window=24)),
    "t5": ("t5", "T5Config", T5),
    "flan-t5": ("t5", "T5Config", dict(T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
}  # fmt: skip


COLUMNS = ["family", "tokenizer", "winner", "loss", "guard: winner / best parent", "acc", "acc_norm", "gap of choices", "bits per byte",
           "gap of texts", "texts cut"]  # fmt: skip
HEAD = f"""# A whole run of every family

`test/parity/families.sh --to test/parity/FAMILIES.md` takes a tiny random model of each family through a search by gradient of
{BUDGET}, its verdict and its export, loads the export in transformers, where no tensor may be missing, unexpected or of another
shape, and scores it with `evomerge score` and with lm_eval. `acc`, `acc_norm` and bits per byte are lm_eval's and evomerge's alike,
and every row has the same answer; gaps are the largest between two log-likelihoods, in nats. Losses are in units of the
uniform average's. The window is {WINDOW} tokens: longer texts lose the beginning of their context. Models are random, so their
scores say nothing of merging.

"""


def write_models(folder: Path, tokenizer: Path, config) -> int:
    """A base and two experts, which are the base and noise; the number of weights of each."""
    torch.manual_seed(1)
    make = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = make.from_config(config)
    if getattr(config, "scale_decoder_outputs", True) is False:
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))
    for name, weight in model.named_parameters():
        mean = "norm" in name and "gemma" not in config.model_type
        weight.data = mean + 0.2 * torch.randn_like(weight)
    base = {name: weight.data.clone() for name, weight in model.named_parameters()}
    for own in ("base", "one", "two"):
        for name, weight in model.named_parameters():
            weight.data = base[name] + (own != "base") * 0.05 * torch.randn_like(weight)
        model.to(torch.bfloat16).save_pretrained(folder / own)
        model.float()
        (folder / own / "generation_config.json").unlink(missing_ok=True)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            (folder / own / file).write_text((tokenizer / file).read_text())
    return sum(weight.numel() for weight in model.parameters())


def run(folder: Path) -> dict:
    """What `evomerge run --export` says of its end."""
    demo = ROOT / "experiments" / "demo"
    experiment = {
        "name": "family", "base": "base", "experts": ["one", "two"],
        "space": str(ROOT / "search-spaces" / "task-arithmetic-columns.yaml"),
        "tasks": {
            "choices": {"rows": str(demo / "cosmosqa.search.jsonl"), "guard": str(demo / "cosmosqa.guard.jsonl")},
            "texts": {"rows": str(demo / "xsum.search.jsonl"), "guard": str(demo / "xsum.guard.jsonl")},
        },
        "budget": {"time": BUDGET}, "seed": 1,
    }  # fmt: skip
    (folder / "experiment.yaml").write_text(json.dumps(experiment))
    command = ["node", "--import", "tsx", "src/cli/main.ts", "run", str(folder / "experiment.yaml"), "--out", str(folder / "run")]
    command += ["--export", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{folder.name}: {done.stderr}")
    return json.loads(done.stdout)


def loading_faults(folder: Path, config) -> list[str]:
    make = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    _, info = make.from_pretrained(folder, output_loading_info=True)
    return [f"{what}: {sorted(map(str, names))}" for what, names in info.items() if names]


def rows_over_the_window(folder: Path, config) -> int:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [json.loads(line) for line in parity.TEXTS.read_text().splitlines()]
    read = ["input"] if config.is_encoder_decoder else ["input", "target"]
    texts = [" ".join(row[key] for key in read) for row in rows]
    # A causal model reads all tokens but the last.
    return sum(len(ids) - (len(read) - 1) > WINDOW for ids in tokenizer(texts)["input_ids"])


def rows_in(path: Path) -> int:
    return len(path.read_text().splitlines())


def verdict_of(outcome: dict) -> str:
    """Losses on the guard rows, in units of the uniform average's, of the winner and of the best parent."""
    if "verdict" not in outcome:
        return "no time for it"
    models = outcome["verdict"]["models"]
    loss = {kind: min(model["loss"] for model in models if model["kind"] == kind) for kind in ("winner", "parent")}
    return f"{loss['winner']:.3f} / {loss['parent']:.3f}"


def report(lines: list[list[str]]) -> str:
    table = [COLUMNS, ["---"] * len(COLUMNS), *lines]
    return HEAD + "\n".join(f"| {' | '.join(line)} |" for line in table) + "\n"


def read_options(description: str, known: Iterable[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="family", help=f"of {', '.join(known)}")
    parser.add_argument("--to", type=Path, help="file to write the table to")
    return parser.parse_args()


def main() -> int:
    options = read_options(__doc__, FAMILIES)
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
        keep_heads_apart()
        for family, config in configs.items():
            kind, folder = FAMILIES[family][0], Path(name, family)
            outcome, export = run(folder), folder / "run" / "best"
            faults += [f"{family}: {fault}" for fault in loading_faults(export, config)]
            compared = {task: parity.compare(str(export), task, False, False) for task in ("demo_mmlu", "demo_texts")}
            faults += [fault for _, unequal in compared.values() for fault in unequal]
            (_, choices), (_, texts) = (table for table, _ in compared.values())
            names = [outcome["winner"]["name"], f"{outcome['winner']['loss']:.3f}", verdict_of(outcome)]
            cut = f"{rows_over_the_window(export, config)} of {rows_in(parity.TEXTS)}"
            lines.append([family, kind, *names, choices[1], choices[3], choices[-1], texts[1], texts[-1], cut])
            print("\t".join(lines[-1]), flush=True)
            for fault in faults:
                print(fault, flush=True)
    if options.to:
        options.to.write_text(report(lines))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
