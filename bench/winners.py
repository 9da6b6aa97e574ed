"""Scores models with lm_eval on the demo's held-out MMLU task, which no search has seen; prints a line of JSON a model.

    python bench/winners.py <model folder>...

Run from the root, where demo_mmlu.yaml finds its rows. bench/winners.ts calls it. `loss` is minus the log of the right
choice's share among the choices, in nats: it moves before an answer flips.
"""

import json
import math
import os
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("HF_DATASETS_CACHE", tempfile.mkdtemp(prefix="winners-"))

import lm_eval  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

TASK = "demo_mmlu"


def loss_of(sample: dict) -> float:
    values = [float(response[0]) for response in sample["filtered_resps"]]
    highest = max(values)
    total = sum(math.exp(value - highest) for value in values)
    return highest + math.log(total) - values[int(sample["target"])]


def score(model: str, tasks: TaskManager) -> dict:
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": model, "dtype": "float32"},
        tasks=[TASK],
        task_manager=tasks,
        device="cpu",
        batch_size=16,
        log_samples=True,
    )
    samples = results["samples"][TASK]
    of_task = results["results"][TASK]
    return {
        "rows": len(samples),
        "acc": of_task["acc,none"],
        "acc_norm": of_task["acc_norm,none"],
        "loss": sum(map(loss_of, samples)) / len(samples),
    }


if __name__ == "__main__":
    manager = TaskManager(include_path="experiments/demo/mmlu", include_defaults=False)
    for folder in sys.argv[1:]:
        print(json.dumps(score(folder, manager)), flush=True)
