"""Merges of three bf16 Llamas of 1.1 billion random parameters, by evomerge, by mergekit, and a copy of as many bytes.

    python bench/merge-files.py models <folder> [<layers>]
    python bench/merge-files.py measure <folder> <mergekit-yaml> <runs> <method>...

The second and third model are the first and noise. `measure` runs `node dist/cli/main.js merge`, mergekit's program and `cp`,
without and with waiting for the disk, in turn, and prints medians of wall seconds, CPU-seconds and peak memory (resident, files that are mapped among it).
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

HIDDEN, MLP, VOCABULARY, HEADS, KEY_VALUE_HEADS = 2048, 5632, 32000, 32, 4


def shapes(layers: int) -> dict[str, tuple[int, ...]]:
    narrow = HIDDEN * KEY_VALUE_HEADS // HEADS
    of_layer = {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (narrow, HIDDEN),
        "self_attn.v_proj": (narrow, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (MLP, HIDDEN),
        "mlp.up_proj": (MLP, HIDDEN),
        "mlp.down_proj": (HIDDEN, MLP),
        "input_layernorm": (HIDDEN,),
        "post_attention_layernorm": (HIDDEN,),
    }
    layered = {f"model.layers.{i}.{name}.weight": shape for i in range(layers) for name, shape in of_layer.items()}
    return {
        "model.embed_tokens.weight": (VOCABULARY, HIDDEN),
        **layered,
        "model.norm.weight": (HIDDEN,),
        "lm_head.weight": (VOCABULARY, HIDDEN),
    }


def config(layers: int) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": MLP,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "bfloat16",
    }


def write_models(folder: Path, layers: int = 22) -> None:
    for member in range(3):
        target = folder / f"model-{member}"
        target.mkdir(parents=True, exist_ok=True)
        weights = {}
        for at, (name, shape) in enumerate(shapes(layers).items()):
            weight = torch.randn(shape, generator=torch.Generator().manual_seed(at)) * 0.02
            if member > 0:
                weight += torch.randn(shape, generator=torch.Generator().manual_seed(1000 * member + at)) * 0.002
            weights[name] = weight.to(torch.bfloat16)
        save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
        (target / "config.json").write_text(json.dumps(config(layers), indent=2) + "\n")


PARAMETERS = {
    "linear": "weight: 0.33",
    "slerp": "t: 0.4",
    "ties": "{weight: 0.5, density: 0.5}",
    "dare_ties": "{weight: 0.5, density: 0.5}",
    "model_stock": "{}",
}


def recipe(folder: Path, method: str) -> str:
    models = [folder / f"model-{i}" for i in range(3)]
    listed = {"linear": models, "slerp": models[:2]}.get(method, models[1:])
    own = PARAMETERS[method].strip("{}")
    is_for_each = method in ("linear", "ties", "dare_ties")
    lines = [f"merge_method: {method}", "dtype: bfloat16", "models:"]
    for model in listed:
        lines.append(f"  - model: {model}")
        if is_for_each:
            lines.append(f"    parameters: {{{own}}}")
    if method != "linear":
        lines.append(f"base_model: {models[0]}")
    if own and not is_for_each:
        lines.append(f"parameters: {{{own}}}")
    return "\n".join(lines) + "\n"


def measured(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU-seconds and peak MB of a program."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed: {said[-2000:]}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def measure(folder: Path, mergekit: str, runs: int, methods: list[str]) -> None:
    program = Path(__file__).parent.parent / "dist" / "cli" / "main.js"
    target = folder / "merged"
    for method in methods:
        path = folder / f"{method}.yaml"
        path.write_text(recipe(folder, method))
        commands = {
            "evomerge": ["node", str(program), "merge", str(path), str(target)],
            "mergekit": [mergekit, str(path), str(target)],
            "cp, one model": ["cp", "-r", str(folder / "model-0"), str(target)],
            # As evomerge ends: with all bytes on the disk.
            "cp and sync": ["sh", "-c", 'cp -r "$0" "$1" && sync "$1"/*', str(folder / "model-0"), str(target)],
        }
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                if name == "mergekit" and mergekit == "-":
                    continue
                shutil.rmtree(target, ignore_errors=True)
                found[name].append(measured(command))
        shutil.rmtree(target, ignore_errors=True)
        for name, all_runs in found.items():
            if all_runs:
                wall, cpu, memory = (statistics.median(column) for column in zip(*all_runs))
                load = os.getloadavg()[0]
                print(f"{method:12} {name:14} {wall:8.1f} s {cpu:8.1f} CPU-s {memory:8.0f} MB  load {load:.1f}", flush=True)


if __name__ == "__main__":
    what, place, *rest = sys.argv[1:]
    if what == "models":
        write_models(Path(place), *map(int, rest))
    else:
        measure(Path(place), rest[0], int(rest[1]), rest[2:])
