"""Runs the modules that evomerge exports for the LLM-Merging starter kit and compares them with evomerge's own merges.

    [STARTER_KIT=<git clone of the kit>] python test/parity/starter-kit.py

Tiny models, offline, with the packages of starter-kit-requirements.txt. First under a stand-in for the kit: the weights
must equal evomerge's byte for byte, the exported folder must load, log-likelihoods must be those of lm_eval and texts
those of greedy generation. Then, where STARTER_KIT is given, inside the kit itself in both of its generations, registered
by the patch and run by the kit's own command. Exits with 1 when anything differs.
"""

import csv
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = tempfile.TemporaryDirectory(prefix="starter-kit-")
FOLDER = Path(WORK.name)
os.environ.update(HF_HUB_CACHE=str(FOLDER / "hub"), HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
os.environ.update(HF_HUB_DISABLE_PROGRESS_BARS="1", TRANSFORMERS_VERBOSITY="error", OMP_NUM_THREADS="1")
os.environ.pop("HF_AUTH_TOKEN", None)
os.environ.pop("HF_TOKEN", None)

import torch  # noqa: E402
import transformers  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM  # noqa: E402

# Commits of the kit: the last that finds merges as entry points, and the last of all.
GENERATIONS = {"A": "d82d414", "B": "c260fc5"}
TOLERANCE = 1e-4  # nats

MERGES = '''
import os
from safetensors.torch import save_file


class Merges:
    """The attributes that the kit's class sets, and its save_model."""

    def __init__(self, name):
        self.name = name
        for attribute in ("list_models", "loaded_models", "loaded_configs", "base_model", "tokenizer", "input_tokenizer",
                          "target_tokenizer", "base_model_name", "base_model_revision_id", "max_seq_len", "max_gen_len",
                          "device", "architecture", "merged_model"):
            setattr(self, attribute, None)
        self.is_peft = False

    def save_model(self, folder):
        save_file(self.merged_model, os.path.join(folder, "safetensor.pt"))

    def predict_multiple_choice(self, batch):
        return "the kit's own"

    generate = predict_multiple_choice
'''

ROWS = [
    {"input": "a fox left the river.\nQuestion: Where?\nAnswer:", "answer_choices": ["A", "B", "C", "D"], "label": 1},
    {"input": "a crow met a mole. It said ", "answer_choices": ["no word", "that it's \"late\"", "yes"], "label": 0},
    {"input": "the barn and the town, " * 60 + "so:", "answer_choices": ["cave", "field of toads"], "label": 1},
]
TEXTS = [{"input": "a hare met a trout. Summary:", "target": "Two met."}, {"input": "a goat " * 300, "target": "x"}]


def write_stand_in(kit):
    merging = kit / "llm_merging" / "merging"
    merging.mkdir(parents=True)
    (merging / "Merges.py").write_text(MERGES)
    (merging / "__init__.py").write_text("")
    (kit / "llm_merging" / "main.py").write_text("def methods():\n    loaded_merges = {\n    }\n    return loaded_merges\n")


def differing(found, expected):
    """Names of the tensors that are not in both, equal in dtype, shape and every byte."""
    found, expected = ({name: identity(tensor) for name, tensor in each.items()} for each in (found, expected))
    return [name for name in sorted(found | expected) if found.get(name) != expected.get(name)]


def identity(tensor):
    return tensor.dtype, tensor.shape, tensor.contiguous().view(torch.uint8).numpy().tobytes()


def check_stand_in(case, module):
    """What is wrong with a module under the stand-in, and what was compared."""
    faults = []
    own = FOLDER / case["name"]
    exported = FOLDER / f"{case['name']}-exported"
    os.environ["MERGE_EXPORT_DIR"] = str(exported)
    imported = importlib.import_module(f"llm_merging.merging.{module}")
    imported.SHARD_BYTES = 20_000  # makes several files of the larger cases
    merge = getattr(imported, module)("any name")
    model = merge.merge()
    expected = load_file(own / "model.safetensors")
    merge.save_model(str(FOLDER))
    files = sorted(exported.glob("*.safetensors"))
    written = {name: tensor for file in files for name, tensor in load_file(file).items()}
    results = {"merged_model": merge.merged_model, "safetensor.pt": load_file(FOLDER / "safetensor.pt"), "folder": written}
    for what, found in results.items():
        faults += [f"{what}: {name} differs" for name in differing(found, expected)]

    dtype = next(model.parameters()).dtype
    tokens = torch.tensor([merge.tokenizer.encode(ROWS[0]["input"])])
    is_pair = model.config.is_encoder_decoder
    family = AutoModelForSeq2SeqLM if is_pair else AutoModelForCausalLM
    read = dict(input_ids=tokens, decoder_input_ids=tokens[:, :5]) if is_pair else dict(input_ids=tokens)
    with torch.no_grad():
        for folder in (own, exported):
            loaded, loading = family.from_pretrained(folder, dtype=dtype, output_loading_info=True)
            loaded.eval()
            keys = {kind: keys for kind, keys in loading.items() if kind.endswith("_keys") and keys}
            faults += [f"{folder.name}: {kind} {sorted(found)}" for kind, found in keys.items()]
            if not torch.equal(loaded(**read).logits, model(**read).logits):
                faults.append(f"{folder.name}: from_pretrained gives other logits")
    gap = compare_scores(merge, own, dtype, faults)
    compare_texts(merge, loaded, faults)
    check_bounds(merge, faults)
    return faults, f"{len(expected)} tensors equal, {dtype}, {len(files)} files, log-likelihoods of lm_eval within {gap:.1e}"


def compare_scores(merge, own, dtype, faults):
    """Log-likelihoods against lm_eval's, whose own rounding of the logits' softmax is that of their dtype."""
    reference = HFLM(pretrained=str(own), dtype=dtype, device="cpu", batch_size=1, softmax_dtype="float32")
    if reference.model.config.is_encoder_decoder:
        # lm_eval 0.4.13 ties a T5's head to its embedding under transformers 5, whatever the file holds.
        head = load_file(own / "model.safetensors").get("lm_head.weight", reference.model.shared.weight)
        reference.model.lm_head.weight = torch.nn.Parameter(head.to(dtype))
    worst = 0.0
    for row in ROWS:
        requests = [
            Instance("loglikelihood", {}, (row["input"], f" {choice}"), 0) for choice in row["answer_choices"]
        ]
        theirs = torch.tensor([value for value, _ in reference.loglikelihood(requests, disable_tqdm=True)])
        for choices in (row["answer_choices"], repr(row["answer_choices"])):
            index, scores = merge.predict_multiple_choice({"input": [row["input"]], "answer_choices": [choices]})
            worst = max(worst, (scores[0] - theirs).abs().max().item())
            if index.tolist() != [theirs.argmax().item()]:
                faults.append(f"chose {index.tolist()}, lm_eval {theirs.argmax().item()}")
    if not worst <= TOLERANCE:
        faults.append(f"log-likelihoods are up to {worst} from those of lm_eval")
    return worst


def compare_texts(merge, loaded, faults):
    sequences, texts = merge.generate({"input": [row["input"] for row in TEXTS]})
    for row, sequence, text in zip(TEXTS, sequences, texts):
        is_pair = loaded.config.is_encoder_decoder
        prompt = merge.tokenizer.encode(row["input"])[-(256 if is_pair else 256 - 64) :]
        expected = loaded.generate(
            torch.tensor([prompt]), max_new_tokens=64, do_sample=False, eos_token_id=merge.tokenizer.eos_token_id
        )[0].tolist()
        if sequence != expected or text != merge.tokenizer.decode(expected[1 if is_pair else len(prompt) :], skip_special_tokens=True):
            faults.append(f"generated {text!r}")


def check_bounds(merge, faults):
    """What must be refused, and the switch to the kit's own functions."""
    try:
        merge.merge()
        faults.append("wrote into a folder that is not empty")
    except FileExistsError:
        pass
    os.environ["KIT_SCORING"] = "1"
    if merge.generate({}) != "the kit's own" or merge.predict_multiple_choice({}) != "the kit's own":
        faults.append("KIT_SCORING=1 does not call the kit")
    del os.environ["KIT_SCORING"]


def check_kit(generation, kit, case, method):
    """What is wrong with a module inside the kit, and what was compared."""
    data = ["rows.json", "texts.json"] if generation == "A" else ["rows.csv", "texts.csv"]
    write_data(kit)
    command = [sys.executable, "llm_merging/main.py", "-m", method, "--dataset_filepaths", *data]
    command += ["--eval_types", "multiple_choice", "generation"] if generation == "A" else ["--output_folder", "predicted"]
    environment = {**os.environ, "PYTHONPATH": str(kit)}
    environment.pop("MERGE_EXPORT_DIR", None)
    run = subprocess.run(command, cwd=kit, env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        return [f"{' '.join(command[1:])}: {run.stderr[-2000:]}"], ""
    output = kit / "output" / method
    expected = load_file(FOLDER / case["name"] / "model.safetensors")
    faults = [f"safetensor.pt: {name} differs" for name in differing(load_file(output / "safetensor.pt"), expected)]
    predictions = predictions_of(generation, kit, method)
    if len(predictions) != len(ROWS) + len(TEXTS):
        faults.append(f"{len(predictions)} predictions")
    return faults, f"{len(expected)} tensors equal, predictions {[str(value)[:12] for value in predictions]}"


def predictions_of(generation, kit, method):
    """Choices and texts that the kit wrote, in the order of the rows."""
    if generation == "A":
        folder = kit / "output" / method / "predictions"
        rows, texts = ([json.loads(line) for line in open(folder / f"{name}.jsonl")] for name in ("rows", "texts"))
        return [*(row["predicted_choice"] for row in rows), *(row["predicted_text"] for row in texts)]
    folder = kit / "predicted"
    rows, texts = (list(csv.DictReader(open(folder / f"{name}.csv", newline=""))) for name in ("rows", "texts"))
    # pandas writes a carriage return of a generated text without quotes, and what follows it begins another row.
    texts = [row for row in texts if row["id"].isdecimal()]
    return [*(int(row["prediction"]) for row in rows), *(row["prediction"] for row in texts)]


def write_data(kit):
    """Rows as each generation reads them."""
    for name, rows in (("rows", ROWS), ("texts", TEXTS)):
        (kit / f"{name}.json").write_text("".join(json.dumps({"target": "B", **row}) + "\n" for row in rows))
        with open(kit / f"{name}.csv", "w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(["id", "input", "target", "answer_choices", "eval_type"])
            for i, row in enumerate(rows):
                choices = row.get("answer_choices")
                kind = "generation" if choices is None else "multiple_choice"
                writer.writerow([i, row["input"], row.get("target", row.get("label")), repr(choices), kind])


def clone(kit, commit, target):
    subprocess.run(["git", "clone", "--quiet", kit, target], check=True)
    subprocess.run(["git", "-C", target, "checkout", "--quiet", commit], check=True)


def main():
    stand_in = FOLDER / "stand-in"
    write_stand_in(stand_in)
    kits = {}
    if os.environ.get("STARTER_KIT"):
        kits = {generation: FOLDER / f"kit-{generation}" for generation in GENERATIONS}
        for generation, kit in kits.items():
            clone(os.environ["STARTER_KIT"], GENERATIONS[generation], kit)
    entry = ["node", "--import", "tsx", "test/parity/starter-kit-cases.ts", FOLDER, stand_in, *kits.values()]
    cases = json.loads(subprocess.run(entry, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    if "A" in kits:
        refresh = [sys.executable, "llm_merging/setup.py", "-q", "egg_info"]
        subprocess.run(refresh, cwd=kits["A"], check=True, capture_output=True)

    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {len(cases)} cases", flush=True)
    sys.path.insert(0, str(stand_in))
    failed = False
    for case in cases:
        module = Path(case["exports"][0]["module"]).stem
        method = case["exports"][0]["commands"][-1].split()[-1]
        checks = {"stand-in": lambda: check_stand_in(case, module)}
        for generation, kit in kits.items():
            checks[f"kit {generation}"] = lambda generation=generation, kit=kit: check_kit(generation, kit, case, method)
        for where, check in checks.items():
            faults, compared = check()
            failed = failed or bool(faults)
            print(f"{case['name']:12} {where:9}", "; ".join(faults) or compared, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
