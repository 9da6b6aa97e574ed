"""
Scores packed batches with PyTorch on one thread, for bench/libraries.ts: the same tokens, masks and targets.

    python bench/torch-scoring.py MODEL BATCHES.json f32|bf16 [without-onednn] [merging EXPERT...]

Prints a line of JSON when it is ready; for each line of input it scores all batches and prints the seconds that it took, on
the wall and of CPU, and the mean log-probability of the targets. Merging, it computes all weights anew before that, by task
arithmetic in f32, from parents in memory in their own format.
"""

import base64
import json
import sys
import time

import numpy
import torch
import transformers

folder, file, precision, *rest = sys.argv[1:]
experts = rest[rest.index("merging") + 1 :] if "merging" in rest else []
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)
torch.set_grad_enabled(False)
# PyTorch has a oneDNN inside.
torch.backends.mkldnn.enabled = "without-onednn" not in rest
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")

parents = [
    dict(transformers.AutoModelForCausalLM.from_pretrained(parent, dtype=torch.bfloat16).named_parameters())
    for parent in ([folder, *experts] if experts else [])
]


def merge() -> None:
    base, *others = parents
    for name, parameter in model.named_parameters():
        start = base[name].float()
        merged = start
        for expert in others:
            merged = merged + 0.3 * (expert[name].float() - start)
        parameter.copy_(merged.bfloat16())


def decode(text: str, kind: str) -> torch.Tensor:
    return torch.from_numpy(numpy.frombuffer(base64.b64decode(text), dtype=kind).copy())


def load(batch: dict) -> dict:
    sequences, length = batch["sequences"], batch["length"]
    mask = decode(batch["mask"], "<f4").view(sequences, 1, length, length)
    return {
        "input_ids": decode(batch["tokens"], "<i4").view(sequences, length).long(),
        "position_ids": decode(batch["positions"], "<i4").view(sequences, length).long(),
        "attention_mask": mask.clamp(min=torch.finfo(dtype).min).to(dtype),
        "rows": decode(batch["rows"], "<i4").long(),
        "targets": decode(batch["targets"], "<i4").long(),
    }


def score(batches: list[dict]) -> float:
    total, count = 0.0, 0
    for batch in batches:
        inputs = {name: batch[name] for name in ("input_ids", "position_ids", "attention_mask")}
        hidden = model.model(**inputs, use_cache=False).last_hidden_state.flatten(0, 1)
        logits = model.lm_head(hidden[batch["rows"]]).float()
        found = torch.log_softmax(logits, -1).gather(1, batch["targets"][:, None])
        total, count = total + found.sum().item(), count + len(found)
    return total / count


batches = [load(batch) for batch in json.load(open(file))]
what = ", without oneDNN" if "without-onednn" in rest else ", merging too" if experts else ""
name = f"PyTorch {torch.__version__.split('+')[0]}{what}"
print(json.dumps({"name": name}), flush=True)
for _ in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    if parents:
        merge()
    mean = score(batches)
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "mean": mean}), flush=True)
