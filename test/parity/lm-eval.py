"""Scores models with lm_eval and with `evomerge score --samples` on tasks of the demo: every number must be the same.

    python test/parity/lm-eval.py [--without-bf16] [--apply-chat-template | --encoder-decoder] [model folder ...]

Without folders: the demo's base and experts, in a chat the base under each template of the tests, or tiny T5s (t5_models.py). Run from anywhere,
offline, with the packages of requirements.txt. The tasks are demo_mmlu, of choices, the same behind a description of the
subject, and the demo's summaries behind their articles, of texts. Prints a table for each and exits with 1 when a log-likelihood, a measure of a row or one of a task differs in f32. The dtype that lm_eval takes by itself (bf16,
as the models are stored) is compared for the record: its rounding may flip rows whose best answers nearly tie.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("HF_DATASETS_CACHE", tempfile.mkdtemp(prefix="parity-"))

import lm_eval  # noqa: E402
import yaml  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from t5_models import keep_heads_apart, t5_models  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MMLU = Path("experiments/demo/mmlu")  # demo_mmlu.yaml names its rows relative to ROOT
TEXTS = Path("experiments/demo/xsum.guard.jsonl")
DEMO = [f"experiments/demo/{name}" for name in ("base", "nature", "craft", "news")]
TOLERANCE = 1e-3  # nats of a log-likelihood, f32: some 1e-6 of the sums over texts that a model has never seen, such as a chat's
MEASURES = {  # lm_eval's names and those of `evomerge score --json`
    "acc": "accuracy",
    "acc_norm": "accuracyNormalised",
    "acc_bytes": "accuracyByBytes",
    "bits_per_byte": "bitsPerByte",
    "byte_perplexity": "bytePerplexity",
}
AGGREGATIONS = {"bits_per_byte": "bits_per_byte", "byte_perplexity": "weighted_perplexity"}


def per_byte(doc: dict, results: list) -> dict:
    pair = (results[0][0], len(f" {doc['target']}".encode()))
    return {"byte_perplexity": pair, "bits_per_byte": pair}


def metrics(*names: str) -> list[dict]:
    return [{"metric": name, "aggregation": AGGREGATIONS.get(name, "mean"), "higher_is_better": True} for name in names]


def choices() -> dict:
    return yaml.safe_load((MMLU / "demo_mmlu.yaml").read_text()) | {
        "metric_list": metrics("acc", "acc_norm", "acc_bytes")
    }


def described() -> dict:
    """The same behind a sentence about the subject, which is a system's turn in a chat."""
    about = "The following are questions (with answers) about {{subject.replace('_', ' ')}}.\n\n"
    return choices() | {"task": "demo_described", "description": about}


def texts() -> dict:
    return {
        "task": "demo_texts",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(TEXTS)}},
        "test_split": "test",
        "output_type": "loglikelihood",
        "doc_to_text": "{{input}}",
        "doc_to_target": " {{target}}",
        "process_results": per_byte,
        "metric_list": metrics("byte_perplexity", "bits_per_byte"),
        "num_fewshot": 0,
    }


TASKS = {  # the task of lm_eval, its rows, and the options that render them as the task does
    "demo_mmlu": (choices, MMLU / "test.jsonl", ["--format", "mmlu_continuation", "--no-description"]),
    "demo_described": (described, MMLU / "test.jsonl", ["--format", "mmlu_continuation"]),
    "demo_texts": (texts, TEXTS, []),
}

WITHOUT_DEFAULTS = TaskManager(include_defaults=False)  # by itself each evaluation reads the thousands of lm_eval's own tasks first


def by_lm_eval(model: str, dtype: str, task: str, in_chat: bool) -> tuple[list[dict], dict]:
    """lm_eval's samples in the order of the rows, and its results."""
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": model, "dtype": dtype},
        tasks=[TASKS[task][0]()],
        device="cpu",
        batch_size=16,
        bootstrap_iters=0,
        log_samples=True,
        task_manager=WITHOUT_DEFAULTS,
        apply_chat_template=in_chat,
        fewshot_as_multiturn=in_chat,
    )
    samples = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
    return samples, {key.removesuffix(",none"): value for key, value in results["results"][task].items()}


def by_evomerge(model: str, task: str, in_chat: bool) -> tuple[list[dict], dict]:
    """The same of `evomerge score`, by the names of its own."""
    _, rows, options = TASKS[task]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.jsonl")
        command = ["node", "--import", "tsx", "src/cli/main.ts", "score", model, "--task", str(rows), *options]
        command += ["--apply-chat-template"] * in_chat
        command += ["--precision", "f32", "--json", "--samples", str(path)]
        results = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return [json.loads(line) for line in path.read_text().rstrip("\n").split("\n")], results


def log_likelihoods(sample: dict) -> list[float]:
    return [float(response[0]) for response in sample["filtered_resps"]]


def gap(own: dict, row: dict) -> float:
    return max(abs(a - b) for a, b in zip(log_likelihoods(own), log_likelihoods(row), strict=True))


def answer_of(row: dict) -> int:
    return log_likelihoods(row).index(max(log_likelihoods(row)))


def differences_of_row(own: dict, row: dict) -> list[str]:
    """Names of what is not the same in two samples."""
    found = [name for name in ("doc_id", "metrics", "prompt_hash", "target_hash") if own[name] != row[name]]
    if not gap(own, row) <= TOLERANCE:
        found.append("filtered_resps")
    return found + [name for name in row["metrics"] if name.startswith("acc") and own[name] != row[name]]


def compare(model: str, task: str, with_bf16: bool, in_chat: bool) -> tuple[list[str], list[str]]:
    """One line of the table, and what is not equal."""
    (ours, measured), (theirs, expected) = by_evomerge(model, task, in_chat), by_lm_eval(model, "float32", task, in_chat)
    names = [name for name in MEASURES if name in expected]
    line = [Path(model).name]
    for name in names:
        line += [f"{expected[name]:.6f}", f"{measured[MEASURES[name]]:.6f}"]
    line.append(f"{max(map(gap, ours, theirs)):.1e}")
    if with_bf16:
        rounded, _ = by_lm_eval(model, "auto", task, in_chat)
        line += [str(sum(answer_of(a) != answer_of(b) for a, b in zip(rounded, theirs, strict=True)))]
    unequal = [f"{model}: {task}: {name}" for name in names if abs(expected[name] - measured[MEASURES[name]]) > TOLERANCE]
    for own, row in zip(ours, theirs, strict=True):
        unequal += [f"{model}: {task}: row {row['doc_id'] + 1}: {name}" for name in differences_of_row(own, row)]
    header = ["model", *[cell for name in names for cell in (name, "evomerge")], "largest gap"]
    return [header + ["rows flipped by bf16"] * with_bf16, line], unequal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model folder")
    parser.add_argument("--without-bf16", action="store_true", help="leave the comparison with bf16 out")
    parser.add_argument("--apply-chat-template", action="store_true", help="ask every row as a turn of a chat")
    parser.add_argument("--encoder-decoder", action="store_true", help="compare tiny T5s, where no model is given")
    options = parser.parse_args()
    models = [str(Path(model).resolve()) for model in options.models]
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        return compare_all(models or models_for(options, Path(folder)), options)


def models_for(options: argparse.Namespace, folder: Path) -> list[str]:
    if options.encoder_decoder:
        rows = [json.loads(line) for path in (MMLU / "test.jsonl", TEXTS) for line in path.read_text().splitlines()]
        folders = t5_models(folder, [text for row in rows for text in row.values() if isinstance(text, str)])
        keep_heads_apart()
        return folders
    return chat_models(folder) if options.apply_chat_template else DEMO


def chat_models(folder: Path) -> list[str]:
    """The demo's base under each of the chat templates that the tests have."""
    templates = json.loads(Path("test/fixtures/model/chat-templates.json").read_text())["templates"]
    for name, own in templates.items():
        shutil.copytree("experiments/demo/base", folder / name)
        (folder / name / "chat_template.jinja").write_text(own["template"])
    return [str(folder / name) for name in templates]


def compare_all(models: list[str], options: argparse.Namespace) -> int:
    unequal = []
    in_chat = options.apply_chat_template
    for task in TASKS:
        with_bf16 = task == "demo_mmlu" and not options.without_bf16
        compared = [compare(model, task, with_bf16, in_chat) for model in models]
        table = [compared[0][0][0], *[line for (_, line), _ in compared]]
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        print(f"\n{task}: gap of log-likelihoods in nats")
        for line in table:
            print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
        unequal += [difference for _, found in compared for difference in found]
    print("\n".join(unequal) or "\nlm_eval and evomerge agree on every row")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
