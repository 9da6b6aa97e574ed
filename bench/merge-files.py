"""Models for merge-files.ts: bf16 Llamas of 1.1 billion random parameters, of which the second and third are the first and noise.

    python bench/merge-files.py <folder> [<layers>]
"""

import json
import sys
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


def main(folder: Path, layers: int = 22) -> None:
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
