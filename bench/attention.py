"""How exact attention is as ggml's backends compute it, for queries, keys and values of a real model.

Against f64: products in bf16 with their sums in f32, as evomerge asks for them; the one node of Vulkan (bf16 keys and values, all
else f32), of CUDA on tensor cores (all factors in f16, and the sums over values too) and of Metal (bf16 factors, sums over
values in f16). No GPU is used: their arithmetic is repeated here, as ggml's sources have it. Run it as
`python bench/attention.py <model folder> <text file> [tokens] [times the values]`.
"""

import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.models.llama import modeling_llama

# Keys that a block of CUDA takes at once, and how far its maximum lies above the scores': sums then are an eighth.
BLOCK, ABOVE = 64, 3 * 0.6931
MMA = 16


def to(dtype):
    return lambda x: x.to(dtype).to(torch.float32)


def same(x):
    return x


bf16, f16 = to(torch.bfloat16), to(torch.float16)


def composed(q, k, v, mask, factor):
    scores = bf16(q) @ bf16(k).mT * factor + mask
    return bf16(torch.softmax(scores, -1)) @ bf16(v)


def fused(q, k, v, mask, factor, *, factors, shares, sums, scaled_first, above):
    """The online softmax: blocks of keys one after the other, rescaled where a maximum grows."""
    q = factors(q * factor) if scaled_first else factors(q)
    top = torch.full(q.shape[:-1] + (1,), -1e30)
    total = torch.zeros_like(top)
    mixed = torch.zeros(q.shape[:-1] + v.shape[-1:])
    for start in range(0, k.shape[-2], BLOCK):
        keys, values = (factors(x[..., start : start + BLOCK, :]) for x in (k, v))
        scores = q @ keys.mT * (1 if scaled_first else factor) + mask[..., start : start + BLOCK]
        new = torch.maximum(top, scores.amax(-1, keepdim=True) + above)
        shrink = torch.exp(top - new)
        weights = torch.exp(scores - new)
        total = total * shrink + weights.sum(-1, keepdim=True)
        mixed = sums(mixed * sums(shrink))
        for i in range(0, keys.shape[-2], MMA):
            mixed = sums(mixed + shares(weights[..., i : i + MMA]) @ values[..., i : i + MMA, :])
        top = new
    return mixed / total


KERNELS = {
    "products in bf16": composed,
    "Vulkan": lambda q, *rest: fused(q, *map_kv(bf16, rest), factors=same, shares=same, sums=same, scaled_first=True, above=ABOVE),
    "CUDA": lambda *all: fused(*all, factors=f16, shares=f16, sums=f16, scaled_first=True, above=ABOVE),
    "Metal": lambda *all: fused(*all, factors=bf16, shares=same, sums=f16, scaled_first=False, above=0.0),
}


def map_kv(change, rest):
    k, v, mask, factor = rest
    return change(k), change(v), mask, factor


def capture(folder, text, tokens):
    """Queries, keys and values of each layer, with a key for each query's head."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    met, eager = [], modeling_llama.eager_attention_forward

    def meet(module, query, key, value, *rest, **options):
        groups = module.num_key_value_groups
        met.append((query, *(x.repeat_interleave(groups, 1) for x in (key, value)), module.scaling))
        return eager(module, query, key, value, *rest, **options)

    modeling_llama.eager_attention_forward = meet
    with torch.no_grad():
        model(tokenizer(text, return_tensors="pt").input_ids[:, :tokens])
    return met


def main(folder, text_file, tokens="1024", times="1"):
    layers = capture(folder, open(text_file, encoding="utf-8").read(), int(tokens))
    n = layers[0][0].shape[-2]
    mask = torch.full((n, n), -torch.inf).triu(1)
    print(f"{len(layers)} layers, {n} tokens, values times {times}")
    largest = [max(float(layer[i].abs().max()) * (float(times) if i == 2 else 1) for layer in layers) for i in range(3)]
    print("largest of queries, keys, values: " + ", ".join(f"{x:.4g}" for x in largest))
    print(f"{'':18}{'rms error / rms':>17}{'worst layer':>13}{'not finite':>12}")
    for name, kernel in KERNELS.items():
        errors, broken = [], 0
        for q, k, v, factor in layers:
            v = v * float(times)
            exact = torch.softmax(q.double() @ k.double().mT * factor + mask.double(), -1) @ v.double()
            found = kernel(q, k, v, mask, factor).double()
            broken += int((~found.isfinite()).sum())
            errors.append(float((found - exact).square().mean().sqrt() / exact.square().mean().sqrt()))
        print(f"{name:18}{torch.tensor(errors).square().mean().sqrt():17.2e}{max(errors):13.2e}{broken:12d}")


if __name__ == "__main__":
    main(*sys.argv[1:])
