"""Scores models with lm_eval and with `evomerge score` on the demo's MMLU task: every answer must be the same.

    python test/parity/lm-eval.py [--without-bf16] [model folder ...]

Without folders: the demo's base and experts. Run from anywhere, offline, with the packages of requirements.txt. Prints a
table and exits with 1 when acc, acc_norm or any row differ in f32. The dtype that lm_eval takes by itself (bf16, as the
models are stored) is compared for the record: its rounding may flip rows whose best answers nearly tie.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("HF_DATASETS_CACHE", tempfile.mkdtemp(prefix="parity-"))

import lm_eval  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TASK = Path("experiments/demo/mmlu")  # demo_mmlu.yaml names its rows relative to ROOT
FORMAT = ["--format", "mmlu_continuation", "--no-description"]  # the template of demo_mmlu.yaml
TOLERANCE = 1e-4  # nats of a row's loss, f32


def lm_eval_rows(model: str, dtype: str) -> list[dict]:
    """lm_eval's samples in the order of the rows: log-likelihoods by choice, acc and acc_norm."""
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": model, "dtype": dtype},
        tasks=["demo_mmlu"],
        task_manager=TaskManager(include_path=str(TASK), include_defaults=False),
        device="cpu",
        batch_size=16,
        log_samples=True,
    )
    samples = sorted(results["samples"]["demo_mmlu"], key=lambda sample: sample["doc_id"])
    rows = [
        {
            "label": int(sample["target"]),
            "log_likelihoods": [float(response[0]) for response in sample["filtered_resps"]],
            "acc": sample["acc"],
            "acc_norm": sample["acc_norm"],
        }
        for sample in samples
    ]
    for name in ("acc", "acc_norm"):
        assert math.isclose(mean(rows, name), results["results"]["demo_mmlu"][f"{name},none"])
    return rows


def score(model: str, rows: Path) -> dict:
    command = ["node", "--import", "tsx", "src/cli/main.ts", "score", model, "--task", str(rows), *FORMAT]
    command += ["--precision", "f32", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def answers(model: str, rows: list[dict]) -> list[int]:
    """The choice that evomerge finds most likely: each row is scored once for each choice, as if that were the right one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        turned = [{**row, "answer": choice} for row in rows for choice in range(len(row["choices"]))]
        path.write_text("".join(json.dumps(row) + "\n" for row in turned))
        losses = iter([row["loss"] for row in score(model, path)["scores"]])
    return [smallest([next(losses) for _ in row["choices"]]) for row in rows]


def smallest(values: list[float]) -> int:
    return values.index(min(values))


def answer_of(row: dict) -> int:
    return row["log_likelihoods"].index(max(row["log_likelihoods"]))


def loss_of(row: dict) -> float:
    """Minus the log of the right choice's share among the choices."""
    highest = max(row["log_likelihoods"])
    total = sum(math.exp(value - highest) for value in row["log_likelihoods"])
    return highest + math.log(total) - row["log_likelihoods"][row["label"]]


def margin(row: dict) -> float:
    second, first = sorted(row["log_likelihoods"])[-2:]
    return first - second


def mean(rows: list[dict], key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def differences(model: str, ours: dict, theirs: list[dict], chosen: list[int]) -> list[str]:
    found = []
    for name, key in (("acc", "accuracy"), ("acc_norm", "accuracyNormalised")):
        if not math.isclose(ours[key], mean(theirs, name), rel_tol=1e-12):
            found.append(f"{model}: {name}: lm_eval {mean(theirs, name)}, evomerge {ours[key]}")
    if len(ours["scores"]) != len(theirs):
        return [*found, f"{model}: lm_eval scored {len(theirs)} rows, evomerge {len(ours['scores'])}"]
    for index, (own, row, choice) in enumerate(zip(ours["scores"], theirs, chosen)):
        if choice != answer_of(row):
            found.append(f"{model}: row {index + 1}: lm_eval answers {answer_of(row)}, evomerge {choice}")
        if own["correct"] != bool(row["acc"]) or own["correctNormalised"] != bool(row["acc_norm"]):
            found.append(f"{model}: row {index + 1}: lm_eval and evomerge do not both count it as right")
        if not abs(own["loss"] - loss_of(row)) <= TOLERANCE:
            found.append(f"{model}: row {index + 1}: loss: lm_eval {loss_of(row):.6f}, evomerge {own['loss']:.6f}")
    return found


def compare(model: str, rows: list[dict], with_bf16: bool) -> tuple[list[str], list[str]]:
    """One line of the table, and what is not equal."""
    ours, theirs = score(model, ROOT / TASK / "test.jsonl"), lm_eval_rows(model, "float32")
    accuracies = [f"{value:.4f}" for value in (mean(theirs, "acc"), ours["accuracy"])]
    accuracies += [f"{value:.4f}" for value in (mean(theirs, "acc_norm"), ours["accuracyNormalised"])]
    gap = max(abs(own["loss"] - loss_of(row)) for own, row in zip(ours["scores"], theirs))
    line = [Path(model).name, *accuracies, f"{gap:.1e}", f"{min(map(margin, theirs)):.1e}"]
    if with_bf16:
        rounded = lm_eval_rows(model, "auto")
        flipped = sum(answer_of(a) != answer_of(b) for a, b in zip(rounded, theirs))
        line += [f"{mean(rounded, 'acc'):.4f}", str(flipped)]
    return line, differences(model, ours, theirs, answers(model, rows))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model folder")
    parser.add_argument("--without-bf16", action="store_true", help="leave the comparison with bf16 out")
    options = parser.parse_args()
    models = [str(Path(model).resolve()) for model in options.models]
    os.chdir(ROOT)
    models = models or [f"experiments/demo/{name}" for name in ("base", "nature", "craft", "news")]

    rows = [json.loads(line) for line in (TASK / "test.jsonl").read_text().splitlines()]
    compared = [compare(model, rows, not options.without_bf16) for model in models]
    header = ["model", "acc lm_eval", "evomerge", "acc_norm lm_eval", "evomerge", "largest gap", "least margin"]
    header += [] if options.without_bf16 else ["acc bf16", "rows flipped by bf16"]
    table = [header, *[line for line, _ in compared]]
    widths = [max(len(line[column]) for line in table) for column in range(len(header))]
    print(f"{len(rows)} rows; gap and margin in nats")
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))
    unequal = [difference for _, found in compared for difference in found]
    print("\n".join(unequal) or "lm_eval and evomerge agree on every row")
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
