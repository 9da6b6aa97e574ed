"""
Merges models to disk with mergekit, for bench/this-machine.ts, as mergekit-evolve does for each candidate.

    python bench/mergekit-merging.py FOLDER

Each line of input is a configuration as JSON, whose merge is written to FOLDER in place of the one before. On one thread;
speaks with its caller as torch-scoring.py does.
"""

import json
import logging
import shutil
import sys
import time
from importlib.metadata import version

import torch
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions

folder = sys.argv[1]
logging.disable(logging.WARNING)
torch.set_num_threads(1)
options = MergeOptions(copy_tokenizer=True, lazy_unpickle=True, write_model_card=False, quiet=True)

print(json.dumps({"name": f"mergekit {version('mergekit')}"}), flush=True)
for line in sys.stdin:
    shutil.rmtree(folder, ignore_errors=True)
    wall, cpu = time.perf_counter(), time.process_time()
    run_merge(MergeConfiguration.model_validate(json.loads(line)), folder, options)
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}), flush=True)
