"""Compares evomerge with lm_eval's `hf` model row by row, for the kinds of tokenizer that Llamas and Mistrals have.

    python test/parity/tokenizer-kinds.py [seed of the rows]

Writes a tiny model under every kind and class (test/fixtures/model/tokenizer_folders.py) and scores rows that begin or end
with spaces, hold special tokens, have no context or answers of uneven length behind a context that is longer than the
window. Prints a line for each model and exits with 1 when any value differs by more than 1e-4 nats in f32. Run from
anywhere, offline, with the packages of requirements.txt.
"""

import itertools
import json
import logging
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "fixtures" / "model"))

import torch  # noqa: E402
from lm_eval.api.instance import Instance  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402
from transformers.utils.logging import disable_progress_bar  # noqa: E402

import tokenizer_folders as kinds  # noqa: E402
from tokenizer_folders import config, file, metaspace, named  # noqa: E402

TOLERANCE = 1e-4  # nats
WINDOW = 48
SIZES = dict(vocab_size=512, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=WINDOW, tie_word_embeddings=False)


def models():
    """A line of the table, folder, changes."""
    own = config(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token=None)
    for name in kinds.CLASSES:
        yield f"Llama 2, {name}", kinds.LLAMA_2, named(name)
        yield f"Llama 2, legacy, {name}", kinds.LLAMA_2, named(name, *config(legacy=True))
        yield f"Llama 2, metaspace, {name}", kinds.LLAMA_2, named(
            name, file("normalizer", None), file("pre_tokenizer", metaspace("first"))
        )
        yield f"Llama 2, more tokens, {name}", kinds.LLAMA_2, named(name, file("added_tokens", kinds.ADDED))
        yield f"Mistral, {name}", kinds.LLAMA_2, named(name, kinds.MISTRAL)
        yield f"Llama 3, {name}", kinds.LLAMA_3, named(name, *kinds.LLAMA_3_FILE)
    for name in ["CodeLlamaTokenizer", "GemmaTokenizer"]:
        yield f"Llama 2, {name}", kinds.LLAMA_2, named(name, *own)
    for name in ["GPT2Tokenizer", "Qwen2Tokenizer", "GPTNeoXTokenizerFast"]:
        yield f"GPT-2, {name}", kinds.GPT_2, named(name, *own)


PIECES = ["The fox", " lives", " in", "the forest", " ", "  ", "<s>", "</s>", "<unk>", "\n", "Zürich", "東京", "😀", "2024",
          " e\u0301", "▁", "A", ". ", "It's", "<|a|>", "\t", "brass"]
FIXED = [
    ("", ["forest"]), ("", [" forest"]), ("", ["<s>forest"]), ("", ["</s> forest"]),
    (" The fox", [" lives"]), ("   The fox ", [" lives"]), ("<s>The fox", [" lives"]), ("<s> The", [" fox"]),
    ("</s>The fox</s>", [" lives"]), ("The fox lives in the </s>", [" forest"]), ("The fox", [" lives</s>"]),
    ("The fox \n\n", [" lives"]), ("non-breaking\u00a0\u3000", [" space"]), ("The lamp is ma", ["de of brass"]),
    ("Where is it?\nAnswer:", [" A", " the forest", " in the cave by the river", " B"]),
]  # fmt: skip


def rows(seed: int) -> list:
    draw = random.Random(seed)

    def text(pieces: int) -> str:
        return "".join(draw.choice(PIECES) for _ in range(pieces))

    def answers(count: int) -> list[str]:
        return [" " + (text(draw.randint(1, 4)).strip() or "A") for _ in range(count)]

    short = [("Q: " + text(draw.randint(1, 7)), answers(1)) for _ in range(12)]
    leading = [(text(draw.randint(1, 6)) + "so", answers(1)) for _ in range(12)]
    over = [(text(60) + " so:", answers(4)) for _ in range(8)]
    return [*FIXED, *short, *leading, *over]


def theirs(folder: Path, given: list) -> list[float]:
    lm = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=16)
    pairs = [(context, continuation) for context, continuations in given for continuation in continuations]
    scored = lm.loglikelihood([Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)], disable_tqdm=True)
    values = iter([value for value, _ in scored])
    found = []
    for _, continuations in given:
        own = list(itertools.islice(values, len(continuations)))
        most = max(own)
        total = most + math.log(sum(math.exp(value - most) for value in own))
        found += own if len(own) == 1 else [total - value for value in own]
    return found


def ours(folders: list[Path], given: list, work: Path) -> list[list[float]]:
    path = work / "rows.json"
    path.write_text(json.dumps(given))
    command = ["node", "--import", "tsx", "test/parity/score-rows.ts", str(path), *map(str, folders)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout)


def main() -> int:
    logging.disable(logging.WARNING)  # one for every row over the window
    disable_progress_bar()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    for name, weight in model.named_parameters():
        weight.data = ("norm" in name) + 0.3 * torch.randn_like(weight)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    given, different, compared = rows(seed), [], 0
    with tempfile.TemporaryDirectory() as name:
        work, cases = Path(name), list(models())
        folders = [work / str(index) for index in range(len(cases))]
        for folder, (_, tokenizer, changes) in zip(folders, cases):
            model.save_pretrained(folder)
            written = json.loads((folder / "config.json").read_text())
            kinds.write(folder, tokenizer, changes)
            own = {"architectures": ["MistralForCausalLM"]} if kinds.MISTRAL in changes else {}
            model_type = json.loads((folder / "config.json").read_text())["model_type"]
            (folder / "config.json").write_text(json.dumps({**written, **own, "model_type": model_type}))
        for (title, *_), folder, found in zip(cases, folders, ours(folders, given, work)):
            expected = theirs(folder, given)
            assert len(found) == len(expected)
            gaps = [abs(a - b) for a, b in zip(found, expected)]
            print(f"{title:44} {len(gaps)} values, largest gap {max(gaps):.1e} nats", flush=True)
            compared += len(gaps)
            labels = [(context, text) for context, continuations in given for text in continuations]
            different += [
                f"{title}: {label!r}: lm_eval {b:.6f}, evomerge {a:.6f}"
                for label, gap, a, b in zip(labels, gaps, found, expected)
                if not gap <= TOLERANCE
            ]
    print("\n".join(different) or f"lm_eval and evomerge agree on all {compared} values to {TOLERANCE} nats")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
