"""Tiny random T5s for the comparison with lm_eval, beside a tokenizer of Unigram pieces learnt from the demo's texts.

They read fewer tokens than the demo's longest rows have, so that rows lose their beginning.
"""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

WINDOW = 48  # tokens
SIZES = dict(d_model=24, d_kv=8, d_ff=40, num_heads=5, num_layers=2, num_decoder_layers=3, relative_attention_num_buckets=8,
             relative_attention_max_distance=20, decoder_start_token_id=0, n_positions=WINDOW)
KINDS = {
    "t5": dict(tie_word_embeddings=True),
    "flan-t5": dict(tie_word_embeddings=False, feed_forward_proj="gated-gelu"),
}


def t5_models(folder: Path, texts: list[str]) -> list[str]:
    """Writes one folder a kind, and returns their paths."""
    tokenizer = T5Tokenizer(vocab=pieces(texts), extra_ids=4)
    folders = []
    for seed, (name, fields) in enumerate(KINDS.items()):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer), **SIZES, **fields))
        for weight_name, weight in model.named_parameters():
            weight.data = ("norm" in weight_name) + 0.3 * torch.randn_like(weight)
        if not fields["tie_word_embeddings"]:
            model.lm_head.weight = torch.nn.Parameter(0.3 * torch.randn_like(model.shared.weight))
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        folders.append(str(folder / name))
    return folders


def keep_heads_apart() -> None:
    """lm_eval 0.4.13 ties weights once more when a model is loaded, by which transformers 5 gives every T5 its embedding for a
    head. Here only what loads a model does, which leaves a head that the file has."""
    tie = T5ForConditionalGeneration.tie_weights

    def tie_once(model, missing_keys=None, **options):
        if missing_keys is not None:
            tie(model, missing_keys, **options)

    T5ForConditionalGeneration.tie_weights = tie_once


def pieces(texts: list[str]) -> list[tuple[str, float]]:
    """As T5 has them: padding, the end of a sequence and what is unknown first, sentinels last."""
    learnt = Tokenizer(models.Unigram())
    learnt.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    learnt.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=400, unk_token="<unk>", special_tokens=["<unk>"]))
    own = [(piece, score) for piece, score in json.loads(learnt.to_str())["model"]["vocab"] if piece != "<unk>"]
    return [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *own, *[(f"<extra_id_{i}>", 0.0) for i in (3, 2, 1, 0)]]
