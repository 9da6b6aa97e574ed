"""Scores rows on a small random model of each family: time and memory of `evomerge score`.

    python bench/families.py <choice rows> <text rows> [family ...]

The models are those of test/parity/families.py, larger, with a window of 512 tokens. CPU-seconds are those of the command and the
processes that it starts, memory is the most that one of them held. Needs what test/parity/requirements.txt has.
"""

import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("families", ROOT / "test" / "parity" / "families.py")
families = importlib.util.module_from_spec(spec)
spec.loader.exec_module(families)

WINDOW = 512
LARGER = dict(hidden_size=64, intermediate_size=160, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=WINDOW)  # fmt: skip
LARGER_T5 = dict(d_model=64, d_kv=16, d_ff=160, num_layers=4, num_decoder_layers=4, num_heads=4, n_positions=WINDOW)


def score(model: Path, rows: Path) -> tuple[dict, float, float, float]:
    """What it prints, wall-clock and CPU-seconds, and MiB."""
    command = ["node", "--import", "tsx", "src/cli/main.ts", "score", str(model), "--task", str(rows), "--precision", "f32", "--json"]
    start = time.monotonic()
    with tempfile.TemporaryFile() as printed:
        child = subprocess.Popen(command, cwd=ROOT, stdout=printed, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{model.name}: {rows}: exit code {child.returncode}")
        printed.seek(0)
        scored = json.load(printed)
    return scored, time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    choices, texts, *chosen = sys.argv[1:]
    logging.disable(logging.WARNING)
    print("| family | million weights | rows | acc | CPU s | wall s | MiB | texts | bits per byte | CPU s | wall s | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        tokenizers = families.kinds.written_folders(Path(name, "tokenizers"))
        for family in chosen or families.FAMILIES:
            kind, class_name, settings = families.FAMILIES[family]
            larger = {**LARGER, **({"original_max_position_embeddings": WINDOW} if family == "phi3" else {})}
            size = len(families.AutoTokenizer.from_pretrained(tokenizers[kind]))
            own = {**settings, **(LARGER_T5 if "t5" in family else larger)}
            config = getattr(families.transformers, class_name)(vocab_size=size, **own)
            folder = Path(name, family)
            weights = families.write_models(folder, tokenizers[kind], config)
            cells = [family, f"{weights / 1e6:.2f}"]
            for rows in (choices, texts):
                scored, wall, cpu, memory = score(folder / "base", Path(rows).resolve())
                measure = scored.get("accuracy", scored.get("bitsPerByte"))
                cells += [str(scored["rows"]), f"{measure:.3f}", f"{cpu:.1f}", f"{wall:.1f}", f"{memory:.0f}"]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
