"""Tokenizer, model and the training loop."""

import json
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from mixes import BASE, CRAFT, NATURE, NEWS, Mixer, Mixture

BATCH = 32
CHUNK = 40 * BATCH
END = "<|end|>"
VOCABULARY = 1150


@dataclass
class Plan:
    """How one model is trained; `pace` multiplies the learning rate of a group of modules."""

    mixture: Mixture
    steps: int
    rate: float
    pace: dict[str, float] = field(default_factory=dict)


def make_tokenizer(mixer: Mixer) -> PreTrainedTokenizerFast:
    """Byte-level BPE fitted to the demo's own text, so that every word of it is one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    corpus = ("".join(mixer.draw(mixture)[:2]) for mixture in (BASE, NATURE, CRAFT, NEWS) for _ in range(8000))
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    end = tokenizer.eos_token_id
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=384, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=end, pad_token_id=end))


def load_model(folder: Path) -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)


def save_model(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """An ordinary model folder; the tokenizer's settings are spelled so that old and new transformers read them."""
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END,
                "model_max_length": 256, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def batches(mixer: Mixer, mixture: Mixture, tokenizer, steps: int):
    """Tensors (tokens, weights); each chunk of samples is sorted by length so that batches need little padding."""
    made = 0
    while made < steps:
        samples = [encode(tokenizer, *mixer.draw(mixture)) for _ in range(CHUNK)]
        samples.sort(key=lambda sample: len(sample[0]))
        groups = [samples[start:start + BATCH] for start in range(0, CHUNK, BATCH)]
        mixer.rng.shuffle(groups)
        for group in groups[: steps - made]:
            yield pad(group, tokenizer.pad_token_id)
        made += len(groups)


def encode(tokenizer, context: str, answer: str, weight: float) -> tuple[list[int], list[float]]:
    left, right = (tokenizer.encode(text) if text else [] for text in (context, answer))
    return left + right + [tokenizer.eos_token_id], [weight] * len(left) + [1.0] * (len(right) + 1)


def pad(group, filler: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(tokens) for tokens, _ in group)
    tokens = [tokens + [filler] * (width - len(tokens)) for tokens, _ in group]
    weights = [weights + [0.0] * (width - len(weights)) for _, weights in group]
    return torch.tensor(tokens), torch.tensor(weights)


def loss_of(model, tokens: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    logits = model(tokens).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
    return (losses * weights[:, 1:]).sum() / weights[:, 1:].sum()


def group_of(name: str) -> str:
    return "attention" if "self_attn" in name else "mlp" if ".mlp." in name else "rest"


def make_optimizer(model, plan: Plan) -> torch.optim.AdamW:
    groups = [{"params": [parameter], "lr": plan.rate * plan.pace.get(group_of(name), 1.0)}
              for name, parameter in model.named_parameters()]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)


def train(model, tokenizer, mixer: Mixer, plan: Plan, report=print) -> None:
    """Warm-up over 50 steps, then a cosine down to a twentieth of the rate."""
    optimizer = make_optimizer(model, plan)
    shape = lambda step: min(1, (step + 1) / 50) * (0.05 + 0.475 * (1 + cos(pi * step / plan.steps)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, shape)
    model.train()
    for step, (tokens, weights) in enumerate(batches(mixer, plan.mixture, tokenizer, plan.steps), 1):
        loss = loss_of(model, tokens, weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == plan.steps:
            report(f"  step {step}/{plan.steps} loss {loss.item():.3f}")
    model.eval()
