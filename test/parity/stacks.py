"""Loads stacks of layers, as evomerge exports them, in transformers: are they the models that were scored?

    python test/parity/stacks.py

Run from anywhere, offline, with the packages of requirements.txt. Prints a line for each family and exits with 1 where a tensor is
missing, unexpected or of another shape, the number of layers is another, or a log-probability differs by more than 1e-4 nats.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4


def gap_of(case: Path) -> float:
    expected = json.loads((case / "expected.json").read_text())
    model, info = AutoModelForCausalLM.from_pretrained(case / "stack", dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    faults = {key: value for key, value in info.items() if value}
    if faults:
        sys.exit(f"{case.name}: {faults}")
    if model.config.num_hidden_layers != expected["layers"] or len(model.model.layers) != expected["layers"]:
        sys.exit(f"{case.name}: expected {expected['layers']} layers, found {len(model.model.layers)}")
    ids = torch.tensor([expected["ids"]])
    with torch.no_grad():
        found = model(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
    return (found - torch.tensor(expected["logProbabilities"])).abs().max().item()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        subprocess.run(["node", "--import", "tsx", "test/parity/write-stacks.ts", folder], check=True, cwd=ROOT)
        gaps = {case.name: gap_of(case) for case in sorted(Path(folder).iterdir())}
    print(f"transformers {transformers.__version__}, torch {torch.__version__}; largest difference of a log-probability in nats:")
    for name, gap in gaps.items():
        print(f"{name}: {gap:.1e}")
    return int(max(gaps.values()) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
