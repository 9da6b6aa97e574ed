"""The scored rows: cosmos-like and xsum-like for search and guard, MMLU-like for the held-out task."""

import json
from pathlib import Path
from random import Random

from text import Story, ask, scene
from world import Fact, World

COUNTS = {"cosmosqa.search": 500, "cosmosqa.guard": 200, "xsum.search": 200, "xsum.guard": 100, "mmlu": 180}

MMLU_YAML = """\
# Run from the root of the repository, so that data_files below is found:
#   HF_HUB_OFFLINE=1 lm_eval --model hf --model_args pretrained=experiments/demo/base,dtype=float32 \\
#     --include_path experiments/demo/mmlu --tasks demo_mmlu --device cpu
task: demo_mmlu
dataset_path: json
dataset_kwargs:
  data_files:
    test: experiments/demo/mmlu/test.jsonl
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{question.strip()}}\\nAnswer:"
doc_to_choice: choices
doc_to_target: answer
num_fewshot: 0
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""


def choices_for(fact: Fact, label: int, rng: Random) -> list[str]:
    wrong = rng.sample([value for value in fact.values if value != fact.value], 3)
    return wrong[:label] + [fact.value] + wrong[label:]


def cosmos_row(fact: Fact, label: int, rng: Random) -> dict:
    prompt = ask(fact.question(rng), scene(fact, rng))
    return {"input": prompt, "target": fact.value, "answer_choices": choices_for(fact, label, rng), "label": label,
            "group": fact.subject}


def mmlu_row(fact: Fact, label: int, rng: Random) -> dict:
    return {"question": fact.question(rng), "subject": fact.domain,
            "choices": choices_for(fact, label, rng), "answer": label, "group": fact.subject}


def cycle(facts: list[Fact], count: int, rng: Random) -> list[Fact]:
    """`count` facts, each as often as any other to within one."""
    out = []
    while len(out) < count:
        out += rng.sample(facts, len(facts))
    return out[:count]


def fact_rows(by_domain: dict[str, list[Fact]], count: int, make_row, seen: set, rng: Random) -> list[dict]:
    """Rows in equal shares for each domain, labels balanced; `seen` keeps passages from being used twice."""
    share, rows = count // len(by_domain), []
    for facts in by_domain.values():
        for position, fact in enumerate(cycle(facts, share, rng)):
            row = make_row(fact, position % 4, rng)
            while (key := passage_of(row)) in seen:
                row = make_row(fact, position % 4, rng)
            seen.add(key)
            rows.append(row)
    rng.shuffle(rows)
    return rows


def passage_of(row: dict) -> str:
    """A cosmos-like row's passage; an MMLU-like row has none and stands for itself."""
    return row["input"].split("\n")[0] if "input" in row else json.dumps(row)


def story_rows(counts: list[int], rng: Random) -> list[list[dict]]:
    """Several lists of xsum-like rows among which no article, told in any order, is shared."""
    seen, lists = set(), []
    for count in counts:
        rows = []
        while len(rows) < count:
            story = Story(rng)
            if story.summary not in seen:
                seen.add(story.summary)
                rows.append({"input": story.prompt, "target": story.summary})
        lists.append(rows)
    return lists


def make_rows(world: World, seed: int) -> dict[str, list[dict]]:
    rng = Random(f"rows-{seed}")
    mmlu_facts = {**world.split["mmlu"], "people": world.facts["people"]}
    search, guard = story_rows([COUNTS["xsum.search"], COUNTS["xsum.guard"]], rng)
    seen = set()
    return {
        "cosmosqa.search": fact_rows(world.split["search"], COUNTS["cosmosqa.search"], cosmos_row, seen, rng),
        "cosmosqa.guard": fact_rows(world.split["guard"], COUNTS["cosmosqa.guard"], cosmos_row, seen, rng),
        "xsum.search": search,
        "xsum.guard": guard,
        "mmlu": fact_rows(mmlu_facts, COUNTS["mmlu"], mmlu_row, seen, rng),
    }


def write_rows(rows: dict[str, list[dict]], out: Path) -> None:
    (out / "mmlu").mkdir(parents=True, exist_ok=True)
    (out / "mmlu" / "demo_mmlu.yaml").write_text(MMLU_YAML)
    for name, items in rows.items():
        path = out / ("mmlu/test.jsonl" if name == "mmlu" else f"{name}.jsonl")
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
