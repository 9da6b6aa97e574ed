/** Names of the tensors in a checkpoint of a decoder, as transformers writes them, and how merges divide them. */
import type { Selector, StageWeights, TensorGroup, Weight } from "./architecture.ts";
import type { Decoder } from "./decoder-config.ts";

export const decoderGroups: readonly TensorGroup[] = [
  { name: "attention", isLayered: true },
  { name: "mlp", isLayered: true },
  { name: "norm", isLayered: true },
  { name: "embedding", isLayered: false },
];

export const decoderSelectors: readonly Selector[] = [
  { filter: "embed_tokens", group: "embedding", slices: "first" },
  { filter: "self_attn", group: "attention", slices: "every" },
  { filter: "mlp", group: "mlp", slices: "every" },
  { filter: "layernorm", group: "norm", slices: "every" },
  { filter: "model.norm", group: "norm", slices: "last" },
  { filter: "lm_head", group: "embedding", slices: "last" },
];

/** Buffers that earlier versions of transformers saved, and the copy of the embedding that a tied head is. */
export const decoderIgnorable: RegExp =
  /\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.masked_bias$|(^|\.)position_ids$|^lm_head\.weight$/;

export interface DecoderWeights {
  readonly embedding: StageWeights;
  readonly layers: readonly StageWeights[];
  readonly head: StageWeights;
}

export function decoderWeights(decoder: Decoder): DecoderWeights {
  const { hidden_size: hidden, vocab_size: vocabulary } = decoder;
  const table = (name: string, tensor: string): Weight => ({
    name,
    shape: [vocabulary, hidden],
    tensor,
    group: "embedding",
  });
  const tokens = table("model.embed_tokens.weight", "embed_tokens");
  return {
    embedding: { tokens },
    layers: Array.from({ length: decoder.num_hidden_layers }, (_, index) => layerWeights(decoder, index)),
    head: {
      norm: { name: "model.norm.weight", shape: [hidden], tensor: "norm", group: "norm" },
      head: decoder.tie_word_embeddings ? tokens : table("lm_head.weight", "lm_head"),
    },
  };
}

function layerWeights(decoder: Decoder, layer: number): StageWeights {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: width } = decoder;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads } = decoder;
  const weight = (module: string, tensor: string, group: string, ...shape: number[]): Weight => ({
    name: `model.layers.${layer}.${module}${tensor}.weight`,
    shape,
    tensor,
    group,
    layer,
  });
  return {
    attentionNorm: weight("", "input_layernorm", "norm", hidden),
    query: weight("self_attn.", "q_proj", "attention", heads * width, hidden),
    key: weight("self_attn.", "k_proj", "attention", kvHeads * width, hidden),
    value: weight("self_attn.", "v_proj", "attention", kvHeads * width, hidden),
    output: weight("self_attn.", "o_proj", "attention", hidden, heads * width),
    mlpNorm: weight("", "post_attention_layernorm", "norm", hidden),
    gate: weight("mlp.", "gate_proj", "mlp", inner, hidden),
    up: weight("mlp.", "up_proj", "mlp", inner, hidden),
    down: weight("mlp.", "down_proj", "mlp", hidden, inner),
  };
}
