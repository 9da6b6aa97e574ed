"""Compares token ids of evomerge with those of Hugging Face's `tokenizers` (Rust) as lm_eval loads it, line by line.

    python test/parity/token-ids.py [--seed <number>] [--lines <count>] [folder with a tokenizer ...]

Without folders: every kind that test/fixtures/model/token-ids.json has, and a Unigram with all of SentencePiece's nmt_nfkc, which
is trained here. Prints a line for each, the first lines of text that have other ids, and exits with 1 where there are any. Run
from anywhere, offline, with the packages of requirements.txt.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "fixtures" / "model"))

import make_token_ids as kinds  # noqa: E402
from token_lines import lines  # noqa: E402

SHOWN = 3  # lines of text


def default_folders(work: Path) -> dict[str, Path]:
    found = kinds.written_folders(work)
    for name, files in kinds.folders(charsmap_rules=None):
        if name in ("t5", "unigram"):
            found[f"{name} of nmt_nfkc"] = work / f"{name}-nmt-nfkc"
            kinds.write(work / f"{name}-nmt-nfkc", files)
    return found


def ours(folders: list[Path], texts: list[str], work: Path) -> list[list[list[int]]]:
    path = work / "texts.json"
    path.write_text(json.dumps(texts))
    command = ["node", "--import", "tsx", "test/parity/encode-lines.ts", str(path), *map(str, folders)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    return [json.loads(line) for line in printed.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="folder")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--lines", type=int, default=5000)
    options = parser.parse_args()
    texts, different = lines(options.seed, options.lines), 0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folders = {str(path): path.resolve() for path in options.folders} or default_folders(work)
        for (kind, path), found in zip(folders.items(), ours(list(folders.values()), texts, work), strict=True):
            expected = kinds.ids_of(path, texts)
            others = [index for index in range(len(texts)) if found[index] != expected[index]]
            print(f"{kind:20} {len(texts)} lines, {sum(map(len, expected))} tokens, {len(others)} lines with other ids", flush=True)
            for index in others[:SHOWN]:
                print(f"  {texts[index]!a}\n    Rust     {expected[index]}\n    evomerge {found[index]}")
            different += len(others)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
