"""
Scores rows as lm_eval does, for bench/libraries.ts and bench/this-machine.ts: every choice behind its whole context, with the logits of all tokens.

    python bench/lm-eval-scoring.py MODEL REQUESTS.json f32|bf16 [BATCH_SIZE [loading]]

REQUESTS has a pair of lists of token ids for each choice, context and continuation. On one thread; speaks with its caller as
torch-scoring.py does. Loading, it reads the model from the folder anew each time.
"""

import json
import logging
import sys
import time
from importlib.metadata import version

import torch
import transformers
from lm_eval.models.huggingface import HFLM

folder, file, precision, *rest = sys.argv[1:]
logging.disable(logging.WARNING)
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)
batch_size = int(rest[0]) if rest else 8
dtype = {"f32": "float32", "bf16": "bfloat16"}[precision]
loading = "loading" in rest
requests = [(("", ""), context, continuation) for context, continuation in json.load(open(file))]


def load() -> HFLM:
    return HFLM(pretrained=folder, dtype=dtype, device="cpu", batch_size=batch_size)


def score(model: HFLM) -> float:
    found = model._loglikelihood_tokens(requests, disable_tqdm=True)
    return sum(loss for loss, _ in found) / sum(len(continuation) for _, _, continuation in requests)


loaded = None if loading else load()
print(json.dumps({"name": f"lm_eval {version('lm_eval')}, batches of {batch_size}"}), flush=True)
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    mean = score(loaded or load())
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "mean": mean}), flush=True)
