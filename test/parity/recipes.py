"""Merges tiny models by recipes with mergekit, and with evomerge as mergekit does: same tensors?

    python test/parity/recipes.py [--write] [recipe ...]

Run from anywhere, offline, with the packages of mergekit-requirements.txt. Takes all recipes, or those that are named, such as
llama/ties. Prints a table, and exits with 1 where a tensor is missing or differs by more than 1e-6 of its largest element, or where evomerge's
bf16 is, beyond that, more than one step of bf16 from what mergekit has in f32. With --write what mergekit made is summed up in test/fixtures/recipes/expected.json: of each tensor some elements and its norm.
"""

import datetime
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = ROOT / "test" / "fixtures" / "recipes" / "expected.json"
ELEMENTS = 5
TOLERANCE = 1e-6


def load(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def merge_with_mergekit(recipe: Path) -> dict[str, torch.Tensor]:
    merged = recipe.with_suffix(".mergekit")
    command = [Path(sys.executable).with_name("mergekit-yaml"), recipe.name, merged, "--no-write-model-card", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=recipe.parent)
    if done.returncode != 0:
        sys.exit(f"{recipe.name}: mergekit-yaml failed:\n{done.stderr}")
    return load(merged)


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest, as a part of the largest element."""
    largest = theirs.double().abs().max().item()
    gap = (ours.double() - theirs.double()).abs().max().item()
    return gap / largest if largest > 0 else gap


def steps_of_bf16(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The most by which rounded elements are off, in distances of two neighbouring numbers of bf16; what f32 may differ by is no part of it."""
    own, exact = ours.double(), theirs.double()
    step = 2.0 ** (torch.floor(torch.log2(exact.abs().clamp(min=1e-30))) - 7)
    return (((own - exact).abs() - TOLERANCE * exact.abs().max()).clamp(min=0) / step).max().item()


def summary(tensor: torch.Tensor) -> dict:
    flat = tensor.double().flatten()
    places = [round(i * (flat.numel() - 1) / (ELEMENTS - 1)) for i in range(ELEMENTS)]
    return {"shape": list(tensor.shape), "norm": flat.norm().item(), "elements": [flat[place].item() for place in places]}


def main() -> int:
    asked = [argument for argument in sys.argv[1:] if argument != "--write"]
    rows, faults, expected = [], [], json.loads(EXPECTED.read_text()) if asked else {}
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        command = ["node", "--import", "tsx", "test/parity/write-recipes.ts", folder]
        subprocess.run(command, check=True, cwd=ROOT)
        for recipe in sorted(Path(folder).glob("*/*.yml")):
            name = f"{recipe.parent.name}/{recipe.stem}"
            if asked and name not in asked:
                continue
            ours, theirs = load(recipe.with_suffix("")), merge_with_mergekit(recipe)
            rounded = load(recipe.with_suffix(".bf16"))
            if rounded.keys() != ours.keys() or {tensor.dtype for tensor in rounded.values()} != {torch.bfloat16}:
                faults.append(f"{name}: in bf16 it has other tensors")
                continue
            if ours.keys() != theirs.keys():
                faults.append(f"{name}: tensors differ: {sorted(ours.keys() ^ theirs.keys())}")
                continue
            most = max(difference(ours[tensor], theirs[tensor]) for tensor in theirs)
            steps = max(steps_of_bf16(rounded[tensor], theirs[tensor]) for tensor in theirs)
            rows.append(f"| {name} | {len(theirs)} | {most:.1e} | {steps:.3f} |")
            if steps > 1:
                faults.append(f"{name}: in bf16 it differs by {steps:.3f} steps")
            if most > TOLERANCE:
                faults.append(f"{name}: differs by {most:.1e}")
            expected[name] = {tensor: summary(theirs[tensor]) for tensor in sorted(theirs)}
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("mergekit", "torch", "transformers"))
    print(f"{datetime.date.today()}; {packages}\n\n| recipe | tensors | largest difference | bf16, in steps |\n| --- | ---: | ---: | ---: |")
    print("\n".join(rows) + "\n\n" + ("\n".join(faults) or "mergekit and evomerge agree on every tensor"))
    if "--write" in sys.argv[1:] and not faults:
        lines = [f"  {json.dumps(name)}: {json.dumps(tensors)}" for name, tensors in sorted(expected.items())]
        EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
