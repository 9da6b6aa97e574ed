/** Names of the tensors in a checkpoint of a decoder, as transformers writes them, and how merges divide them. */
import type { Selector, StageWeights, TensorGroup, Weight } from "./architecture.ts";
import type { Decoder, DecoderProduct } from "./decoder-config.ts";
import type { Shape } from "../tensor/dtype.ts";

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

/** A bias stands behind the weight of its product, with a kind of its own. */
export function biasOf(role: string): string {
  return `${role} bias`;
}

function layerWeights(decoder: Decoder, layer: number): StageWeights {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: width } = decoder;
  const { num_attention_heads: heads, num_key_value_heads: kvHeads } = decoder;
  const weight = (module: string, tensor: string, group: string, shape: Shape, kind = "weight"): Weight => ({
    name: `model.layers.${layer}.${module}${tensor}.${kind}`,
    shape,
    tensor: kind === "weight" ? tensor : `${tensor}.${kind}`,
    group,
    layer,
  });
  const norms = Object.entries(decoder.has_norms_behind ? normsAround : normsBefore).map(
    ([role, tensor]) => [role, weight("", tensor, "norm", [hidden])] as const,
  );
  const product = (role: DecoderProduct, tensor: string, [rows, columns]: [number, number]): StageWeights => {
    const [module, group] = inAttention.has(role) ? ["self_attn.", "attention"] : ["mlp.", "mlp"];
    const bias = decoder.biases.includes(role) && { [biasOf(role)]: weight(module, tensor, group, [rows], "bias") };
    return { [role]: weight(module, tensor, group, [rows, columns]), ...bias };
  };
  return {
    ...Object.fromEntries(norms),
    ...product("query", "q_proj", [heads * width, hidden]),
    ...product("key", "k_proj", [kvHeads * width, hidden]),
    ...product("value", "v_proj", [kvHeads * width, hidden]),
    ...product("output", "o_proj", [hidden, heads * width]),
    ...product("gate", "gate_proj", [inner, hidden]),
    ...product("up", "up_proj", [inner, hidden]),
    ...product("down", "down_proj", [hidden, inner]),
  };
}

/** Kinds of norms by their roles: what is called "post attention" stands before the MLP, or really behind attention. */
const normsBefore = { attentionNorm: "input_layernorm", mlpNorm: "post_attention_layernorm" };
const normsAround = {
  attentionNorm: "input_layernorm",
  attentionNormBehind: "post_attention_layernorm",
  mlpNorm: "pre_feedforward_layernorm",
  mlpNormBehind: "post_feedforward_layernorm",
};

const inAttention: ReadonlySet<DecoderProduct> = new Set(["query", "key", "value", "output"]);
