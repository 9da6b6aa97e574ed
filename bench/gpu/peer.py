"""
What PyTorch and transformers do on a GPU, or on the CPU where there is none, for bench/gpu.ts:

    python bench/gpu/peer.py MODELS ROWS.json SCRATCH

MODELS has the folder `base` and those of the experts; ROWS.json a context and its continuations for each row, as token ids. Prints a line
of JSON when it is ready. Each line of input is a JSON list, the name of a piece of work and what it takes, which is
answered by a line: seconds and what else it found, or an error. All weights, masks and tokens are on the device before time is taken.
"""

import gc
import json
import os
import re
import sys
import time
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

models, rows_file, scratch = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
transformers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity_error()
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
is_gpu = device.type == "cuda"
bf16 = torch.bfloat16


def wait() -> None:
    if is_gpu:
        torch.cuda.synchronize()


def seconds(work, times: int = 1) -> float:
    wait()
    began = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - began) / times


def ceilings() -> dict:
    """Operations a second of a product, and bytes a second of a copy (read and written) and of an upload from ordinary memory."""
    side, size, times = (8192, 2**31, 30) if is_gpu else (1024, 2**26, 3)
    x, y = (torch.randn(side, side, device=device, dtype=bf16) for _ in range(2))
    into = torch.empty(side, side, device=device, dtype=bf16)
    product = lambda: torch.matmul(x, y.t(), out=into)
    source = torch.ones(size, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    copy = lambda: target.copy_(source)
    host = torch.ones(2**28, dtype=torch.uint8)
    there = torch.empty_like(host, device=device)
    upload = lambda: there.copy_(host)
    for work in (product, copy, upload):
        seconds(work, 2)
    return {
        "product": 2 * side**3 / seconds(product, times),
        "copy": 2 * size / seconds(copy, times),
        "upload": 2**28 / seconds(upload, 3),
    }


class Parents:
    """Base and experts in their own format, and a model whose weights are merged of them in place."""

    def __init__(self, names: list[str]):
        folders = [models / name for name in names]
        self.config = transformers.AutoConfig.from_pretrained(folders[0])
        self.base = {}
        self.experts = [{} for _ in folders[1:]]
        for file in sorted(folders[0].glob("*.safetensors")):
            own = load_file(file, device=str(device))
            self.base.update(own)
            for expert, folder in zip(self.experts, folders[1:]):
                # What is one file is read once, and is on the device once for each model all the same.
                shared = os.path.samefile(file, folder / file.name)
                expert.update(
                    {name: tensor.clone() for name, tensor in own.items()}
                    if shared
                    else load_file(folder / file.name, device=str(device))
                )
        with device:
            self.model = transformers.AutoModelForCausalLM.from_config(
                self.config, dtype=bf16, attn_implementation="sdpa"
            )
        self.model.requires_grad_(False)
        self.alone()

    @torch.no_grad()
    def alone(self) -> None:
        for name, parameter in self.model.named_parameters():
            parameter.copy_(self.base[name])

    @torch.no_grad()
    def merge(self) -> None:
        """Task arithmetic in f32, rounded once."""
        for name, parameter in self.model.named_parameters():
            start = self.base[name].float()
            merged = start.clone()
            for expert in self.experts:
                merged.add_(expert[name].float().sub_(start), alpha=self.weight(name))
            parameter.copy_(merged)

    def weight(self, name: str) -> float:
        """That of evomerge's first candidate: mergeOfLayers in bench/eight-billion.ts."""
        layer = re.search(r"\.layers\.(\d+)\.", name)
        return 0.3 + int(layer[1]) / (3 * self.config.num_hidden_layers) if layer else 0.4

    @torch.no_grad()
    def slopes(self) -> torch.Tensor:
        """Of the loss by the coefficient of every weight and expert, from the derivatives by the merged weights."""
        found = []
        for name, parameter in self.model.named_parameters():
            start, gradient = self.base[name].float(), parameter.grad.float()
            found += [(expert[name].float().sub_(start).mul_(gradient)).sum() for expert in self.experts]
        return torch.stack(found)


def sequences(rows: list, layout: str) -> list[dict]:
    """
    `packed`: all continuations of a row behind its context, none of which sees another. `plain`: each behind its whole context, in a
    sequence of its own, but those of one token in one.
    """
    found = []
    for context, continuations in rows:
        lists = [continuations] if layout == "packed" or max(map(len, continuations)) == 1 else [[c] for c in continuations]
        for own in lists:
            ids, positions, segments, targets = list(context), list(range(len(context))), [0] * len(context), []
            for segment, continuation in enumerate(own, 1):
                at = [len(context) - 1, *range(len(ids), len(ids) + len(continuation) - 1)]
                targets += zip(at, continuation)
                ids += continuation[:-1]
                positions += range(len(context), len(context) + len(continuation) - 1)
                segments += [segment] * (len(continuation) - 1)
            found.append({"ids": ids, "positions": positions, "segments": segments, "targets": targets})
    return sorted(found, key=lambda one: -len(one["ids"]))


def batch_of(members: list[dict], layout: str) -> dict:
    length = len(members[0]["ids"])
    padded = lambda name, value: torch.tensor(
        [one[name] + [value] * (length - len(one[name])) for one in members], device=device
    )
    flat = [(i * length + row, token) for i, one in enumerate(members) for row, token in one["targets"]]
    batch = {
        "inputs": {"input_ids": padded("ids", 0)},
        "rows": torch.tensor([row for row, _ in flat], device=device),
        "targets": torch.tensor([token for _, token in flat], device=device),
    }
    if layout == "packed":
        segments = padded("segments", -1)
        seen = (segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None])
        causal = torch.ones(length, length, dtype=torch.bool, device=device).tril()
        mask = torch.zeros(len(members), 1, length, length, device=device, dtype=bf16)
        mask.masked_fill_(~(seen & causal)[:, None], torch.finfo(bf16).min)
        batch["inputs"] |= {"attention_mask": mask, "position_ids": padded("positions", 0)}
    # Padding stands behind all that is read, where causal attention alone does not see it.
    return batch


def batches_of(layout: str, tokens: int) -> list[dict]:
    batches, members = [], []
    for one in sequences(json.load(open(rows_file)), layout):
        if members and (len(members) + 1) * len(members[0]["ids"]) > tokens:
            batches.append(batch_of(members, layout))
            members = []
        members.append(one)
    return [*batches, batch_of(members, layout)]


def log_likelihoods(model, batch: dict) -> torch.Tensor:
    """Of the continuations' tokens: logits of others are not computed."""
    hidden = model.model(**batch["inputs"], use_cache=False).last_hidden_state.flatten(0, 1)
    logits = model.lm_head(hidden[batch["rows"]]).float()
    return torch.log_softmax(logits, -1).gather(1, batch["targets"][:, None])


@torch.no_grad()
def mean_of(model, batches: list[dict]) -> float:
    sums = [log_likelihoods(model, batch).sum() for batch in batches]
    return torch.stack(sums).sum().item() / sum(len(batch["targets"]) for batch in batches)


parents: Parents | None = None


def load(*names: str) -> dict:
    global parents
    took = seconds(lambda: globals().update(parents=Parents(list(names))))
    return {"wall": took}


def merge() -> dict:
    parents.merge()
    return {"wall": seconds(parents.merge, 3)}


def score(layout: str, tokens: int) -> dict:
    """Of the base alone, whose losses can be compared."""
    parents.alone()
    batches = batches_of(layout, tokens)
    mean = mean_of(parents.model, batches)
    return {"wall": seconds(lambda: mean_of(parents.model, batches)), "mean": mean}


def score_merged(layout: str, tokens: int) -> dict:
    """The way of mergekit-evolve in memory: merges in place, and scores that."""
    batches = batches_of(layout, tokens)
    means = []

    def work() -> None:
        parents.merge()
        means.append(mean_of(parents.model, batches))

    return {"wall": seconds(work), "mean": means[0]}


def score_from_disk(layout: str, tokens: int) -> dict:
    """Its other way: merges, writes that down, reads it as a new model, and scores it."""
    batches = batches_of(layout, tokens)
    folder = scratch / "merged"
    loaded = []

    def read() -> None:
        loaded.append(transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=bf16, device_map=str(device)))

    took = {
        "merge": seconds(parents.merge),
        "write": seconds(lambda: parents.model.save_pretrained(folder)),
        "read": seconds(read),
        "score": seconds(lambda: mean_of(loaded[0], batches)),
    }
    return {"wall": sum(took.values()), **took}


def differentiate(layout: str, tokens: int) -> dict:
    """Merges, and derives the sum of the rows' log-likelihoods by the coefficients, through derivatives by the merged weights."""
    batches = batches_of(layout, tokens)
    model = parents.model
    model.requires_grad_(True)

    def there_and_back(some: list[dict]) -> None:
        parents.merge()
        for batch in some:
            (-log_likelihoods(model, batch).sum()).backward()
        parents.slopes()
        model.zero_grad(set_to_none=True)

    try:
        there_and_back(batches[:1])
        return {"wall": seconds(lambda: there_and_back(batches))}
    finally:
        model.zero_grad(set_to_none=True)
        model.requires_grad_(False)


works = {
    work.__name__: work for work in (ceilings, load, merge, score, score_merged, score_from_disk, differentiate)
}
name = torch.cuda.get_device_name() if is_gpu else "CPU"
print(
    json.dumps({"name": f"PyTorch {torch.__version__}, transformers {transformers.__version__} on {name}"}), flush=True
)
for line in sys.stdin:
    work, *settings = json.loads(line)
    if is_gpu:
        torch.cuda.reset_peak_memory_stats()
    cpu = time.process_time()
    try:
        answer = works[work](*settings)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
    answer["cpu"] = time.process_time() - cpu
    answer["bytes"] = torch.cuda.max_memory_allocated() if is_gpu else 0
    print(json.dumps(answer), flush=True)
    gc.collect()
    if is_gpu:
        torch.cuda.empty_cache()
