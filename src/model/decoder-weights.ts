/** Names of the tensors in a checkpoint of a decoder, as transformers writes them, and how merges divide them. */
import type { Alias, Selector, StageWeights, TensorGroup, Weight } from "./architecture.ts";
import type { Decoder } from "./decoder-config.ts";
import type { Shape } from "../tensor/dtype.ts";

const group = (name: string, isLayered: boolean): TensorGroup => ({ name, kind: name, stack: "decoder", isLayered });

export const decoderGroups: readonly TensorGroup[] = [
  group("attention", true),
  group("mlp", true),
  group("norm", true),
  group("embedding", false),
];

export const decoderSelectors: readonly Selector[] = [
  { filter: "embed_tokens", group: "embedding", slices: "first" },
  { filter: "self_attn", group: "attention", slices: "every" },
  { filter: "mlp", group: "mlp", slices: "every" },
  { filter: "layernorm", group: "norm", slices: "every" },
  { filter: "model.norm", group: "norm", slices: "last" },
  { filter: "lm_head", group: "embedding", slices: "last" },
];

/** Buffers that earlier versions of transformers saved. */
export const decoderIgnorable: RegExp =
  /\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.masked_bias$|(^|\.)position_ids$/;

/** What a tied head is called in files that hold it beside the embedding, as all of torch.save do. */
export function decoderAliases({ tie_word_embeddings: isTied }: Decoder): readonly Alias[] {
  return isTied ? [{ name: HEAD, of: EMBEDDING, tiedBy: "tie_word_embeddings" }] : [];
}

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

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
  const tokens = table(EMBEDDING, "embed_tokens");
  return {
    embedding: { tokens },
    layers: Array.from({ length: decoder.num_hidden_layers }, (_, index) => layerWeights(decoder, index)),
    head: {
      norm: { name: "model.norm.weight", shape: [hidden], tensor: "norm", group: "norm" },
      head: decoder.tie_word_embeddings ? tokens : table(HEAD, "lm_head"),
    },
  };
}

/** A bias stands behind the weight of its product, with a kind of its own. */
export function biasOf(role: string): string {
  return `${role} bias`;
}

function layerWeights(decoder: Decoder, layer: number): StageWeights {
  const { hidden_size: hidden } = decoder;
  const weight = (module: string, tensor: string, group: string, shape: Shape, kind = "weight"): Weight => ({
    name: `model.layers.${layer}.${module}${tensor}.${kind}`,
    shape,
    tensor: kind === "weight" ? tensor : `${tensor}.${kind}`,
    group,
    layer,
    // A norm behind it would take a factor away again.
    ...(tensor in added && !decoder.has_norms_behind && { isAdded: true }),
  });
  const norms: Readonly<Record<string, string>> = decoder.has_norms_behind ? normsAround : normsBefore;
  const norm = (role: string): StageWeights => {
    const tensor = norms[role];
    return tensor === undefined ? {} : { [role]: weight("", tensor, "norm", [hidden]) };
  };
  const product = (role: string, tensor: string, [rows, columns]: [number, number]): StageWeights => {
    const [module, group] = tensor in inMlp ? ["mlp.", "mlp"] : ["self_attn.", "attention"];
    const biases: readonly string[] = decoder.biases;
    const bias = biases.includes(role) && { [biasOf(role)]: weight(module, tensor, group, [rows], "bias") };
    return { [role]: weight(module, tensor, group, [rows, columns]), ...bias };
  };
  const { query, key, value, gate, up } = productRows(decoder);
  const read = decoder.has_joined_products
    ? product("query, key, value", "qkv_proj", [query + key + value, hidden])
    : {
        ...product("query", "q_proj", [query, hidden]),
        ...product("key", "k_proj", [key, hidden]),
        ...product("value", "v_proj", [value, hidden]),
      };
  const gated = decoder.has_joined_products
    ? product("gate, up", "gate_up_proj", [gate + up, hidden])
    : { ...product("gate", "gate_proj", [gate, hidden]), ...product("up", "up_proj", [up, hidden]) };
  return {
    ...norm("attentionNorm"),
    ...read,
    ...product("output", "o_proj", [hidden, query]),
    ...norm("attentionNormBehind"),
    ...norm("mlpNorm"),
    ...gated,
    ...product("down", "down_proj", [hidden, up]),
    ...norm("mlpNormBehind"),
  };
}

const added = { o_proj: true, down_proj: true };

const inMlp = { gate_proj: true, up_proj: true, gate_up_proj: true, down_proj: true };

/** Rows of the weights of products, which are the elements that each gives for a token. */
function productRows(decoder: Decoder): Record<"query" | "key" | "value" | "gate" | "up", number> {
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: width, intermediate_size: up } = decoder;
  return { query: heads * width, key: kvHeads * width, value: kvHeads * width, gate: up, up };
}

/** Where the rows of a product's weight stand in one that is joined of several. */
export interface JoinedRows {
  readonly role: string;
  readonly from: number;
  readonly rows: number;
}

/** By the role of the product; empty where each has a weight of its own. */
export function joinedRows(decoder: Decoder): ReadonlyMap<string, JoinedRows> {
  if (!decoder.has_joined_products) return new Map();
  const { query, key, value, gate, up } = productRows(decoder);
  const [attention, mlp] = ["query, key, value", "gate, up"];
  return new Map([
    ["query", { role: attention, from: 0, rows: query }],
    ["key", { role: attention, from: query, rows: key }],
    ["value", { role: attention, from: query + key, rows: value }],
    ["gate", { role: mlp, from: 0, rows: gate }],
    ["up", { role: mlp, from: gate, rows: up }],
  ]);
}

/** Kinds of norms by their roles: what is called "post attention" stands before the MLP, or really behind attention. */
const normsBefore = { attentionNorm: "input_layernorm", mlpNorm: "post_attention_layernorm" };
const normsAround = {
  attentionNorm: "input_layernorm",
  attentionNormBehind: "post_attention_layernorm",
  mlpNorm: "pre_feedforward_layernorm",
  mlpNormBehind: "post_feedforward_layernorm",
};
