/** Names of the tensors in a checkpoint of a Llama or Mistral, as transformers writes them, and how merges divide them. */
import type { Selector, StageWeights, TensorGroup, Weight } from "./architecture.ts";
import type { LlamaConfig } from "./llama-config.ts";

export const llamaGroups: readonly TensorGroup[] = [
  { name: "attention", isLayered: true },
  { name: "mlp", isLayered: true },
  { name: "norm", isLayered: true },
  { name: "embedding", isLayered: false },
];

export const llamaSelectors: readonly Selector[] = [
  { filter: "embed_tokens", group: "embedding", slices: "first" },
  { filter: "self_attn", group: "attention", slices: "every" },
  { filter: "mlp", group: "mlp", slices: "every" },
  { filter: "layernorm", group: "norm", slices: "every" },
  { filter: "model.norm", group: "norm", slices: "last" },
  { filter: "lm_head", group: "embedding", slices: "last" },
];

/** Buffers that earlier versions of transformers saved, and the copy of the embedding that a tied head is. */
export const llamaIgnorable: RegExp =
  /\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.masked_bias$|(^|\.)position_ids$|^lm_head\.weight$/;

export interface LlamaWeights {
  readonly embedding: StageWeights;
  readonly layers: readonly StageWeights[];
  readonly head: StageWeights;
}

export function llamaWeights(config: LlamaConfig): LlamaWeights {
  const { hidden_size: hidden, vocab_size: vocabulary } = config;
  const table = (name: string, tensor: string): Weight => ({
    name,
    shape: [vocabulary, hidden],
    tensor,
    group: "embedding",
  });
  const tokens = table("model.embed_tokens.weight", "embed_tokens");
  return {
    embedding: { tokens },
    layers: Array.from({ length: config.num_hidden_layers }, (_, index) => layerWeights(config, index)),
    head: {
      norm: { name: "model.norm.weight", shape: [hidden], tensor: "norm", group: "norm" },
      head: config.tie_word_embeddings ? tokens : table("lm_head.weight", "lm_head"),
    },
  };
}

function layerWeights(config: LlamaConfig, layer: number): StageWeights {
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, kvHeads, width } = config;
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
