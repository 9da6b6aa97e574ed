"""Checks what `evomerge evaluate <run> --task demo_mmlu` stored and reported against lm_eval's own table.

    python test/parity/evaluate.py <run> <JSON of a second evaluation> <what that told>

Runs lm_eval's command line on every model again, compares each value it prints with the stored one, and each gain with
the difference of the values. The second evaluation must have found everything stored.
"""

import csv
import json
import math
import re
import subprocess
import sys
from pathlib import Path

TASK = "demo_mmlu"
OPTIONS = ["--tasks", TASK, "--batch_size", "8", "--include_path", "experiments/demo/mmlu", "--device", "cpu"]
PRINTED = 5e-5  # lm_eval prints four decimals


def printed_by_lm_eval(model: str) -> dict[str, tuple[float, float]]:
    """Value and standard error of each metric in the table that lm_eval prints."""
    command = [sys.executable, "-m", "lm_eval", "--model", "hf", "--model_args", f"pretrained={model}", *OPTIONS]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"\|(acc\w*) *\|↑ +\| *([\d.]+)\|± +\| *([\d.]+)\|", table)
    assert rows, table
    return {metric: (float(value), float(error)) for metric, value, error in rows}


def check_model(run: Path, model: dict) -> None:
    stored = json.loads((run / "lm_eval" / TASK / f"{model['name']}.json").read_text())
    rows = stored["rows"][TASK]["acc"]
    results = stored["results"]["results"][TASK]
    assert math.isclose(sum(rows) / len(rows), results["acc,none"]), model["name"]
    assert stored["results"]["config"]["model_args"] == {"pretrained": stored["source"]}, model["name"]
    printed = printed_by_lm_eval(stored["source"])
    assert set(printed) == set(model["scores"][TASK]["metrics"]) == {"acc", "acc_norm"}, printed
    for metric, (value, error) in printed.items():
        reported = model["scores"][TASK]["metrics"][metric]
        assert reported["value"] == results[f"{metric},none"], (model["name"], metric)
        assert abs(reported["value"] - value) <= PRINTED, (model["name"], metric, value, reported)
        assert abs(reported["stderr"] - error) <= PRINTED, (model["name"], metric, error, reported)


def check_gain(model: dict, winner: dict) -> None:
    gain = model["gains"][TASK]
    values = [entry["scores"][TASK]["metrics"]["acc"]["value"] for entry in (winner, model)]
    assert math.isclose(gain["gain"], values[0] - values[1], abs_tol=1e-12), model["name"]
    assert gain["interval"][0] <= gain["gain"] <= gain["interval"][1], model["name"]


def main() -> None:
    run, again, told = (Path(argument) for argument in sys.argv[1:])
    models = json.loads(again.read_text())["benchmark"]["models"]
    *parents, winner = models
    assert winner["kind"] == "winner" and [parent["name"] for parent in parents][:1] == ["base"]
    assert told.read_text().count("stored from before") == len(models), told.read_text()
    for model in models:
        check_model(run, model)
    for parent in parents:
        check_gain(parent, winner)
    report = (run / "report.md").read_text()
    rows = list(csv.DictReader((run / "benchmarks.csv").open()))
    for model in models:
        accuracy = model["scores"][TASK]["metrics"]["acc"]
        assert f"| {model['name']} | {accuracy['value']:.4f} ± {accuracy['stderr']:.4f} |" in report, model["name"]
        assert any(row["model"] == model["name"] and float(row["value"]) == accuracy["value"] for row in rows)
    print(f"{len(models)} models: what is stored and reported is what lm_eval prints")


if __name__ == "__main__":
    main()
