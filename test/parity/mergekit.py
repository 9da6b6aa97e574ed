"""Merges tiny models with mergekit, by the configurations that evomerge writes, and with evomerge itself: same tensors?

    python test/parity/mergekit.py [<part of the names of merges>]

Run from anywhere, offline, with the packages of mergekit-requirements.txt. Every coefficient of the merges is another one,
by expert, group of weights and layer, and for embedding, last norm and head. Prints a table and exits with 1 when a tensor
is missing, or differs by more than one step of rounding at the magnitude of what is summed.
"""

import datetime
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PARENTS = ("base", "nature", "craft", "news")
BITS = {torch.float32: 24, torch.bfloat16: 8, torch.float16: 11}  # of a significand
ELEMENTWISE = ("linear", "task_arithmetic", "one expert")
HEADER = ["merge", "tensors", "elements", "not equal", "largest difference", "in steps"]


def merge_with_mergekit(case: Path) -> dict[str, torch.Tensor]:
    merged = case / "mergekit"
    command = [Path(sys.executable).with_name("mergekit-yaml"), case / "mergekit.yml", merged, "--no-write-model-card"]
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{case.name}: mergekit-yaml failed:\n{done.stderr}")
    return load(merged)


def load(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def compare(case: Path) -> tuple[list[str], list[str]]:
    """One line of the table, and what is not equal."""
    ours, theirs = load(case / "merged"), merge_with_mergekit(case)
    if {name: (t.dtype, t.shape) for name, t in ours.items()} != {name: (t.dtype, t.shape) for name, t in theirs.items()}:
        return [case.name], [f"{case.name}: names, dtypes or shapes differ: {sorted(ours)}; mergekit: {sorted(theirs)}"]
    parents = [load(case / parent) for parent in PARENTS if (case / parent).is_dir()]
    largest, most, unequal, found = 0.0, 0.0, 0, []
    for name, own in ours.items():
        gap = (own.double() - theirs[name].double()).abs()
        # What is summed may be larger than the sum, and f32 rounds it on the way.
        summed = [parent[name] for parent in parents if name in parent] or [own]
        magnitude = torch.stack([tensor.double().abs() for tensor in summed]).amax(0)
        in_between = torch.finfo(torch.float32).eps * 4 * magnitude
        if not case.name.split(", ")[-2].startswith(ELEMENTWISE):
            # Lengths and angles are mergekit's in f32: their errors are the same part of all elements.
            in_between = 1e-6 * magnitude.amax()
        step = 2.0 ** (torch.floor(torch.log2(own.double().abs().clamp(min=1e-30))) + 1 - BITS[own.dtype])
        unequal += int((own != theirs[name]).sum())
        if case.name.startswith("stack"):
            step = in_between = torch.zeros(())
        largest = max(largest, gap.max().item())
        most = max(most, (gap / step).max().item())
        if not bool((gap <= step + in_between).all()):
            found.append(f"{case.name}: {name}: differs by up to {gap.max().item():.2e}")
    elements = sum(tensor.numel() for tensor in ours.values())
    return [case.name, str(len(ours)), str(elements), str(unequal), f"{largest:.1e}", f"{most:g}"], found


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        command = ["node", "--import", "tsx", "test/parity/write-merges.ts", folder, *sys.argv[1:]]
        engine = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()
        compared = [compare(case) for case in sorted(Path(folder).iterdir())]
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("mergekit", "torch", "transformers"))
    print(f"{datetime.date.today()}; {packages}; evomerge's engine: {engine}\n")
    for cells in [HEADER, ["---", *["---:"] * (len(HEADER) - 1)], *[line for line, _ in compared]]:
        print(f"| {' | '.join(cells)} |")
    unequal = [difference for _, found in compared for difference in found]
    print("\n" + ("\n".join(unequal) or "mergekit and evomerge agree on every tensor"))
    return 1 if unequal else 0


if __name__ == "__main__":
    sys.exit(main())
