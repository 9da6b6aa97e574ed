"""Skills of a model on rows, in f32: which choice it takes, how likely summaries are, what it writes greedily."""

import torch

from train import pad
from world import DOMAINS

BATCH = 100


def measure(model, tokenizer, rows: dict[str, list[dict]]) -> dict[str, float]:
    questions = rows["cosmosqa.search"] + rows["cosmosqa.guard"]
    summaries = rows["xsum.search"] + rows["xsum.guard"]
    scores = summary_scores(model, tokenizer, summaries)
    return {
        "nature acc": choice_accuracy(model, tokenizer, [row for row in questions if domain_of(row) == "nature"]),
        "craft acc": choice_accuracy(model, tokenizer, [row for row in questions if domain_of(row) == "craft"]),
        "xsum nll/byte": scores["nll"],
        "xsum token acc": scores["tokens"],
        "xsum exact": exact_matches(model, tokenizer, summaries),
        "mmlu acc": choice_accuracy(model, tokenizer, [as_question(row) for row in rows["mmlu"]]),
    }


def domain_of(row: dict) -> str:
    return next(domain for domain, spec in DOMAINS.items()
                if any(row["target"] in values for values in spec["attributes"].values()))


def as_question(row: dict) -> dict:
    """An MMLU-like row in the prompt form of the YAML task."""
    return {"input": f"Question: {row['question']}\nAnswer:", "answer_choices": row["choices"], "label": row["answer"]}


@torch.no_grad()
def continuation_scores(model, tokenizer, pairs: list[tuple[str, str]]) -> list[tuple[float, list[bool]]]:
    """For each (context, continuation): its log-likelihood, and for each of its tokens whether it ranks first."""
    scores = []
    for start in range(0, len(pairs), BATCH):
        group = [(tokenizer.encode(context), tokenizer.encode(more)) for context, more in pairs[start:start + BATCH]]
        tokens, inside = pad([(left + right, [0.0] * len(left) + [1.0] * len(right)) for left, right in group],
                             tokenizer.pad_token_id)
        logits, targets, inside = model(tokens).logits[:, :-1], tokens[:, 1:], inside[:, 1:].bool()
        likelihoods = -torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        first = logits.argmax(-1) == targets
        scores += [(likelihoods[i][inside[i]].sum().item(), first[i][inside[i]].tolist()) for i in range(len(group))]
    return scores


def choice_accuracy(model, tokenizer, rows: list[dict]) -> float:
    pairs = [(row["input"], " " + choice) for row in rows for choice in row["answer_choices"]]
    scores = [score for score, _ in continuation_scores(model, tokenizer, pairs)]
    taken = [max(range(4), key=lambda choice: scores[4 * i + choice]) for i in range(len(rows))]
    return sum(choice == row["label"] for choice, row in zip(taken, rows)) / len(rows)


def summary_scores(model, tokenizer, rows: list[dict]) -> dict[str, float]:
    scores = continuation_scores(model, tokenizer, [(row["input"], " " + row["target"]) for row in rows])
    size = sum(len(row["target"].encode()) + 1 for row in rows)
    first = [hit for _, hits in scores for hit in hits]
    return {"nll": -sum(score for score, _ in scores) / size, "tokens": sum(first) / len(first)}


def exact_matches(model, tokenizer, rows: list[dict]) -> float:
    hits = 0
    for row in rows:
        tokens = tokenizer(row["input"], return_tensors="pt", return_token_type_ids=False)
        written = model.generate(**tokens, do_sample=False, max_new_tokens=24)[0, tokens["input_ids"].shape[1]:]
        hits += tokenizer.decode(written, skip_special_tokens=True) == " " + row["target"]
    return hits / len(rows)
