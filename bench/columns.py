"""
What finer coefficients than one a tensor find on the shipped experiment: one for each input column of each tensor and expert, as
in Differentiable Adaptive Merging (arXiv:2410.08371), which walks by gradient learn as evomerge's learns those of tensors.

    python bench/columns.py CELLS [--seeds 1,2,3] [--budgets 4,7,15,60] [--only PATTERN]

In PyTorch, apart from evomerge, with its losses, its steps and its count of work: forward passes over all search rows, of which a
gradient is four. A coefficient is w + d, w of a tensor and expert and d of a column of it; both are steered by Adam without
epsilon (0.9, 0.99), at rates that fall to a 20th on a straight line, and w + d is clipped to [0, 1.5]. Each search is kept in
the folder CELLS and not repeated.
"""

import argparse
import json
import pathlib
import random
import re
import time

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

DEMO = pathlib.Path(__file__).parent.parent / "experiments" / "demo"
EXPERTS = ["nature", "craft", "news"]
TASKS = ["cosmosqa", "xsum"]
HEADS, KEY_HEADS, WIDTH, LAYERS, EPSILON = 4, 2, 32, 4, 1e-6
START, HIGHEST = 0.8, 1.5
GRADIENT_COST = 4
LOOKS = 5
HELD_OUT = 0.2

# Rates of tensors' and of columns' coefficients, decay of d a step at the rate 1, and whether a fifth of the rows is held out to
# choose the point by.
ARMS = {
    "tensors, 20th": {"tensors": 0.1},
    "columns, 20th": {"columns": 0.1},
    "columns beside tensors, 20th, rate .03": {"tensors": 0.1, "columns": 0.03},
    "columns beside tensors, 20th, rate .1, decay 1": {"tensors": 0.1, "columns": 0.1, "decay": 1.0},
    "columns beside tensors, 20th, rate .1, decay 3": {"tensors": 0.1, "columns": 0.1, "decay": 3.0},
    "columns beside tensors, 20th, rate .03, held-out stop": {"tensors": 0.1, "columns": 0.03, "held": True},
}
ROWS = 0.05


def read_rows(task: str, side: str, tokenizer) -> list[dict]:
    """Token ids of context and right answer; of choices, the single tokens of all answers."""
    rows = []
    for line in (DEMO / f"{task}.{side}.jsonl").read_text().splitlines():
        record = json.loads(line)
        context = tokenizer.encode(record["input"], add_special_tokens=False)

        def answer(text: str) -> list[int]:
            whole = tokenizer.encode(f"{record['input']} {text}", add_special_tokens=False)
            assert whole[: len(context)] == context
            return whole[len(context) :]

        row = {"context": context, "group": record.get("group", record["input"])}
        if "answer_choices" in record:
            row["answers"] = [answer(text) for text in record["answer_choices"]]
            assert all(len(ids) == 1 for ids in row["answers"])
            row["label"] = record["label"]
        else:
            row["target"] = answer(record["target"])
            row["bytes"] = len(f" {record['target']}".encode())
        rows.append(row)
    return rows


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def normalised(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * weight


def hidden_states(weights: dict, tokens: torch.Tensor) -> torch.Tensor:
    """A Llama's, [sequences, length, hidden]; what is padded stands behind, where no other position sees it."""
    count, length = tokens.shape
    frequencies = 10000.0 ** (-torch.arange(0, WIDTH, 2) / WIDTH)
    angles = torch.arange(length)[:, None] * torch.cat([frequencies, frequencies])
    cos, sin = angles.cos(), angles.sin()
    x = torch.nn.functional.embedding(tokens, weights["model.embed_tokens.weight"])
    for layer in range(LAYERS):
        own = {k.split(".", 3)[3]: w for k, w in weights.items() if k.startswith(f"model.layers.{layer}.")}
        h = normalised(x, own["input_layernorm.weight"])

        def heads(name: str, number: int) -> torch.Tensor:
            return (h @ own[f"self_attn.{name}_proj.weight"].T).view(count, length, number, WIDTH).transpose(1, 2)

        q, k, v = rotated(heads("q", HEADS), cos, sin), rotated(heads("k", KEY_HEADS), cos, sin), heads("v", KEY_HEADS)
        k, v = (each.repeat_interleave(HEADS // KEY_HEADS, 1) for each in (k, v))
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + mixed.transpose(1, 2).flatten(2) @ own["self_attn.o_proj.weight"].T
        h = normalised(x, own["post_attention_layernorm.weight"])
        gate = torch.nn.functional.silu(h @ own["mlp.gate_proj.weight"].T)
        x = x + (gate * (h @ own["mlp.up_proj.weight"].T)) @ own["mlp.down_proj.weight"].T
    return normalised(x, weights["model.norm.weight"])


def task_losses(weights: dict, rows: list[dict]) -> torch.Tensor:
    """Of each row: -log softmax over the answers, or nats per byte."""
    sequences = [row["context"] + row.get("target", [])[:-1] for row in rows]
    length = max(map(len, sequences))
    tokens = torch.tensor([ids + [0] * (length - len(ids)) for ids in sequences])
    hidden = hidden_states(weights, tokens)
    if "answers" in rows[0]:
        last = hidden[torch.arange(len(rows)), torch.tensor([len(ids) - 1 for ids in sequences])]
        logits = last @ weights["lm_head.weight"].T
        answers = torch.tensor([[ids[0] for ids in row["answers"]] for row in rows])
        labels = torch.tensor([row["label"] for row in rows])
        return torch.nn.functional.cross_entropy(logits.gather(1, answers), labels, reduction="none")
    owners = [(i, len(row["context"]) - 1 + j) for i, row in enumerate(rows) for j in range(len(row["target"]))]
    places = torch.tensor(owners)
    logits = hidden[places[:, 0], places[:, 1]] @ weights["lm_head.weight"].T
    targets = torch.tensor([token for row in rows for token in row["target"]])
    nats = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    sums = torch.zeros(len(rows)).index_add(0, places[:, 0], nats)
    return sums / torch.tensor([float(row["bytes"]) for row in rows])


class Problem:
    def __init__(self) -> None:
        tokenizer = AutoTokenizer.from_pretrained(DEMO / "base")
        self.base = {name: w.float() for name, w in load_file(DEMO / "base" / "model.safetensors").items()}
        experts = [load_file(DEMO / name / "model.safetensors") for name in EXPERTS]
        self.vectors = {name: torch.stack([e[name].float() - w for e in experts]) for name, w in self.base.items()}
        self.rows = {side: {t: read_rows(t, side, tokenizer) for t in TASKS} for side in ("search", "guard")}
        self.scales = dict.fromkeys(TASKS, 1.0)
        uniform = {name: torch.full((len(EXPERTS), v.shape[-1]), 1 / len(EXPERTS)) for name, v in self.vectors.items()}
        with torch.no_grad():
            merged = self.merged(uniform)
            self.scales = {t: task_losses(merged, own).mean().item() for t, own in self.rows["search"].items()}

    def merged(self, coefficients: dict) -> dict:
        """Rounded to bf16, as a merge ships; the derivative passes through."""
        weights = {}
        for name, base in self.base.items():
            c = coefficients[name]
            c = c if base.dim() == 1 else c[:, None, :]
            exact = base + (self.vectors[name] * c).sum(0)
            weights[name] = exact + (exact.bfloat16().float() - exact).detach()
        return weights

    def loss(self, coefficients: dict, rows: dict) -> torch.Tensor:
        weights = self.merged(coefficients)
        return sum(task_losses(weights, own).mean() / self.scales[t] for t, own in rows.items()) / len(TASKS)

    def scored(self, coefficients: dict, rows: dict) -> float:
        with torch.no_grad():
            return self.loss(coefficients, rows).item()

    def divided(self) -> tuple[dict, dict]:
        """The search rows in two parts without a common group."""
        steered, held = {}, {}
        for t, own in self.rows["search"].items():
            groups = sorted({row["group"] for row in own})
            random.Random(1).shuffle(groups)
            kept = set(groups[: round(HELD_OUT * len(groups))])
            held[t] = [row for row in own if row["group"] in kept]
            steered[t] = [row for row in own if row["group"] not in kept]
        return steered, held


class Adam:
    def __init__(self) -> None:
        self.mean, self.square, self.steps = 0.0, 0.0, 0

    def direction(self, gradient: torch.Tensor) -> torch.Tensor:
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.99 * self.square + 0.01 * gradient.square()
        root = (self.square / (1 - 0.99**self.steps)).sqrt()
        return torch.where(root > 0, self.mean / (1 - 0.9**self.steps) / root, torch.zeros(()))


def count(rows: dict) -> int:
    return sum(map(len, rows.values()))


def search(problem: Problem, arm: dict, budget: float, seed: int) -> dict:
    arm = {"tensors": 0.0, "columns": 0.0, "decay": 0.0, "held": False, **arm}
    began = time.process_time()
    draws = random.Random(seed)
    everything = problem.rows["search"]
    rows_of, held = problem.divided() if arm["held"] else (everything, {})
    w = {name: torch.full((len(EXPERTS), 1), START) for name in problem.base}
    d = {name: torch.zeros(len(EXPERTS), v.shape[-1]) for name, v in problem.vectors.items()}
    adams = {(kind, name): Adam() for kind in "wd" for name in w}
    points, work, looks, best = [], 0.0, 0, None
    while True:
        point = {name: w[name] + d[name] for name in w}
        if points and held and work >= (looks + 1) * budget / (LOOKS + 1):
            looks, work = looks + 1, work + count(held) / count(everything)
            loss = problem.scored(point, held)
            if best is None or loss < best[0]:
                best = (loss, point)
        drawn = {t: draws.sample(own, max(1, round(ROWS * len(everything[t])))) for t, own in rows_of.items()}
        cost = GRADIENT_COST * count(drawn) / count(everything)
        if work + cost > budget * (1 + 1e-9):
            break
        work += cost
        leaves = {name: c.clone().requires_grad_() for name, c in point.items()}
        problem.loss(leaves, drawn).backward()
        factor = 1 - 0.95 * min(1, work / budget)
        for name, leaf in leaves.items():
            by_tensor = leaf.grad.sum(-1, keepdim=True)
            w[name] = (w[name] - factor * arm["tensors"] * adams["w", name].direction(by_tensor)).clamp(0, HIGHEST)
            moved = d[name] - factor * arm["columns"] * adams["d", name].direction(leaf.grad)
            d[name] = (w[name] + moved * max(0, 1 - factor * arm["columns"] * arm["decay"])).clamp(0, HIGHEST) - w[name]
        points.append({name: w[name] + d[name] for name in w})
    spans = {"last": 1, "mean of 5": 5, "mean of half": -(-len(points) // 2)}
    found = {label: {n: torch.stack([p[n] for p in points[-span:]]).mean(0) for n in w} for label, span in spans.items()}
    if best:
        found["held-out best"] = best[1]
    scored = [
        {"name": label, "search": problem.scored(p, everything), "guard": problem.scored(p, problem.rows["guard"])}
        for label, p in found.items()
    ]
    genes = sum((arm["tensors"] > 0) * v.numel() + (arm["columns"] > 0) * d[n].numel() for n, v in w.items())
    return {"genes": genes, "work": work, "steps": len(points), "cpu": time.process_time() - began, "points": scored}


def winner(found: dict) -> dict:
    return min((p for p in found["points"] if p["name"] != "held-out best"), key=lambda p: p["search"])


def spread(values: list[float]) -> str:
    if len(values) < 2:
        return "".join(f"{value:.3f}" for value in values)
    mean = sum(values) / len(values)
    return f"{mean:.3f} ±{(max(values) - min(values)) / 2:.3f}".replace("±0", "±")


def table(cells: list[dict], budgets: list[float]) -> None:
    width = max(map(len, ARMS))
    print(" " * width, "genes", *(f"{b:>10g}" for b in budgets), "search", "gap", "held-out best", sep="  ")
    for name in ARMS:
        own = {b: [c["found"] for c in cells if c["arm"] == name and c["budget"] == b] for b in budgets}
        if not any(own.values()):
            continue
        genes = next(found["genes"] for all_found in own.values() for found in all_found)
        last = [winner(found) for found in own[budgets[-1]]]
        search_loss = sum(p["search"] for p in last) / max(1, len(last))
        gap = sum(p["guard"] - p["search"] for p in last) / max(1, len(last))
        columns = [spread([winner(found)["guard"] for found in own[b]]) for b in budgets]
        kept = [p["guard"] for found in own[budgets[-1]] for p in found["points"] if p["name"] == "held-out best"]
        cells_of_row = [f"{c:>10}" for c in columns] + [f"{search_loss:6.3f}", f"{gap:.3f}", spread(kept)]
        print(f"{name:{width}}  {genes:5}", *cells_of_row, sep="  ")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cells", type=pathlib.Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--budgets", default="4,7,15,60")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cells.mkdir(parents=True, exist_ok=True)
    problem = Problem()
    weight = {name: torch.full((len(EXPERTS), v.shape[-1]), START) for name, v in problem.vectors.items()}
    print(f"guard loss of {START} for all: {problem.scored(weight, problem.rows['guard']):.4f}", flush=True)
    budgets = [float(b) for b in options.budgets.split(",")]
    for budget in budgets:
        for seed in map(int, options.seeds.split(",")):
            for name in filter(lambda name: re.search(options.only, name), ARMS):
                file = options.cells / f"{name}; {budget:g} units; seed {seed}.json"
                if file.exists():
                    continue
                cell = {"arm": name, "budget": budget, "seed": seed, "found": search(problem, ARMS[name], budget, seed)}
                file.write_text(json.dumps(cell))
    table([json.loads(file.read_text()) for file in options.cells.glob("*.json")], budgets)


main()
