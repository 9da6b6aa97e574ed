"""Makes the demo's models, rows and held-out task from one seed. Run it from the root of the repository:

    python experiments/demo/make --out experiments/demo                  everything, 8 to 10 minutes on one core
    python experiments/demo/make --out experiments/demo --rows-only      rows only; models are left alone
    python experiments/demo/make --out experiments/demo --models news    one expert, from the base that is there

Made with Python 3.11, torch==2.13.0 (CPU), transformers==5.23.0, tokenizers==0.23.3, safetensors==0.8.0.
"""

import argparse
import json
from pathlib import Path
from time import time

import torch
from transformers import PreTrainedTokenizerFast

from measure import measure
from mixes import BASE, CRAFT, NATURE, NEWS, Mixer
from rows import make_rows, write_rows
from train import Plan, load_model, make_tokenizer, new_model, save_model, train
from world import World

PLANS = {
    "base": Plan(BASE, steps=2500, rate=5e-3),
    "nature": Plan(NATURE, steps=500, rate=1e-3),
    "craft": Plan(CRAFT, steps=500, rate=1e-3),
    "news": Plan(NEWS, steps=800, rate=1.5e-3),
}


def make_models(world: World, seed: int, out: Path, wanted: list[str]) -> None:
    """Each wanted model; an expert alone comes out the same as in a full run, given the same base."""
    started = time()
    tokenizer = make_tokenizer(Mixer(world, f"tokenizer-{seed}"))
    for name in wanted:
        model = new_model(tokenizer, seed) if name == "base" else load_model(out / "base")
        train(model, tokenizer, Mixer(world, f"{name}-{seed}"), PLANS[name])
        save_model(model, tokenizer, out / name)
        print(f"{name}: done after {time() - started:.0f} s", flush=True)


def report_skills(rows: dict[str, list[dict]], out: Path) -> None:
    for name in PLANS:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(out / name)
        skills = measure(load_model(out / name), tokenizer, rows)
        print(name, json.dumps({skill: round(value, 3) for skill, value in skills.items()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows-only", action="store_true")
    parser.add_argument("--models", nargs="+", choices=list(PLANS), default=list(PLANS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = World(options.seed)
    rows = make_rows(world, options.seed)
    write_rows(rows, options.out)
    if not options.rows_only:
        make_models(world, options.seed, options.out, options.models)
        report_skills(rows, options.out)


if __name__ == "__main__":
    main()
