/** Names of the tensors in a checkpoint of a T5, as transformers writes them, and how merges divide them. */
import type { Shape } from "../tensor/dtype.ts";
import type { Alias, HasTensor, Selector, StageWeights, TensorGroup, Weight } from "./architecture.ts";
import type { T5 } from "./t5-config.ts";

type Stack = "encoder" | "decoder";

/** Of a head that is no embedding, and of one that is. */
export function t5Groups(hasHead: boolean): readonly TensorGroup[] {
  return (["encoder", "decoder"] as const).flatMap((stack) => [
    group(stack, "attention", true),
    group(stack, "mlp", true),
    group(stack, "norm", true),
    ...(stack === "encoder" || hasHead ? [group(stack, "embedding", false)] : []),
  ]);
}

function group(stack: Stack, kind: string, isLayered: boolean): TensorGroup {
  return { name: `${stack}.${kind}`, kind, stack, isLayered };
}

/** mergekit defines T5 by the names of gated MLPs alone. It copies the embedding into both stacks, which have settings for that. */
export function t5Selectors({ is_gated_act: isGated }: T5, hasHead: boolean): readonly Selector[] {
  if (!isGated) return [];
  const module = { name: "shared", prefix: "" };
  const head = hasHead ? "decoder.embedding" : "encoder.embedding";
  return [
    ...selectorsOf("encoder"),
    ...selectorsOf("decoder"),
    { module, filter: "shared", group: "encoder.embedding", slices: "first" },
    { module, filter: "lm_head", group: head, slices: "last" },
  ];
}

function selectorsOf(stack: Stack): Selector[] {
  const [module, norm] = [{ name: stack, prefix: `${stack}.` }, `${stack}.norm`];
  const [attention, mlp] = [`${stack}.attention`, `${stack}.mlp`];
  return [
    { module, filter: "embed_tokens", group: "encoder.embedding", slices: "first" },
    { module, filter: "relative_attention_bias", group: attention, slices: "first" },
    { module, filter: "SelfAttention", group: attention, slices: "every" },
    ...(stack === "decoder" ? [{ module, filter: "EncDecAttention", group: attention, slices: "every" } as const] : []),
    { module, filter: "DenseReluDense", group: mlp, slices: "every" },
    { module, filter: "final_layer_norm", group: norm, slices: "last" },
    { module, filter: "layer_norm", group: norm, slices: "every" },
  ];
}

/** Early files hold a bias that no version has ever read. */
const NEVER_READ = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";

export const t5Ignorable: RegExp = new RegExp(`^${NEVER_READ.replaceAll(".", String.raw`\.`)}$`);

const SHARED = "shared.weight";
const stackEmbeddings = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];
const HEAD = "lm_head.weight";

/** Whether a file has an embedding, by any of its names, and a head beside it. */
export function isHeadBesideEmbedding(has: HasTensor): boolean {
  return has(HEAD) && [SHARED, ...stackEmbeddings].some(has);
}

/** What the embedding is called too: files may hold it more than once, as all of torch.save do, or by one of these names alone. */
export function t5Aliases(hasHead: boolean): readonly Alias[] {
  return [...stackEmbeddings, ...(hasHead ? [] : [HEAD])].map((name) => ({ name, of: SHARED }));
}

export interface T5Weights {
  readonly embedding: StageWeights;
  readonly encoder: readonly StageWeights[];
  /** The norm behind the encoder, and the embedding again, which the decoder reads too. */
  readonly between: StageWeights;
  readonly decoder: readonly StageWeights[];
  readonly head: StageWeights;
}

export function t5Weights(t5: T5, hasHead: boolean): T5Weights {
  const table = (stack: Stack, module: string): Weight => ({
    name: `${module}.weight`,
    shape: [t5.vocab_size, t5.d_model],
    tensor: module,
    group: `${stack}.embedding`,
  });
  const tokens = table("encoder", "shared");
  const layersOf = (stack: Stack, count: number): StageWeights[] =>
    Array.from({ length: count }, (_, layer) => layerWeights(t5, stack, layer));
  return {
    embedding: { tokens },
    encoder: layersOf("encoder", t5.num_layers),
    between: { norm: finalNorm(t5, "encoder"), tokens },
    decoder: layersOf("decoder", t5.num_decoder_layers),
    head: { norm: finalNorm(t5, "decoder"), head: hasHead ? table("decoder", "lm_head") : tokens },
  };
}

function finalNorm({ d_model }: T5, stack: Stack): Weight {
  const tensor = `${stack}.final_layer_norm`;
  return { name: `${tensor}.weight`, shape: [d_model], tensor, group: `${stack}.norm` };
}

/** In the order of the forward pass. Only the first layer of a stack has a table of biases, which all of them read. */
function layerWeights(t5: T5, stack: Stack, layer: number): StageWeights {
  const { d_model: hidden, d_ff: inner } = t5;
  const heads = t5.num_heads * t5.d_kv;
  const weight = (kind: string, module: string, shape: Shape): Weight => ({
    name: `${stack}.block.${layer}.${module}.weight`,
    shape,
    tensor: `${stack}.${module}`,
    group: `${stack}.${kind}`,
    layer,
  });
  const attention = (part: number, name: string, prefix: string): StageWeights => ({
    [`${prefix}norm`]: weight("norm", `layer.${part}.layer_norm`, [hidden]),
    [`${prefix}query`]: weight("attention", `layer.${part}.${name}.q`, [heads, hidden]),
    [`${prefix}key`]: weight("attention", `layer.${part}.${name}.k`, [heads, hidden]),
    [`${prefix}value`]: weight("attention", `layer.${part}.${name}.v`, [heads, hidden]),
    [`${prefix}output`]: weight("attention", `layer.${part}.${name}.o`, [hidden, heads]),
  });
  const last = stack === "encoder" ? 1 : 2;
  const dense = (name: string, shape: Shape): Weight => weight("mlp", `layer.${last}.DenseReluDense.${name}`, shape);
  return {
    ...attention(0, "SelfAttention", "self "),
    "self biases": biasTable(t5, stack),
    ...(stack === "decoder" && attention(1, "EncDecAttention", "cross ")),
    "mlp norm": weight("norm", `layer.${last}.layer_norm`, [hidden]),
    ...(t5.is_gated_act
      ? { gate: dense("wi_0", [inner, hidden]), up: dense("wi_1", [inner, hidden]) }
      : { up: dense("wi", [inner, hidden]) }),
    down: dense("wo", [hidden, inner]),
  };
}

/** It is in no layer, as far as coefficients go. */
function biasTable(t5: T5, stack: Stack): Weight {
  const module = "layer.0.SelfAttention.relative_attention_bias";
  return {
    name: `${stack}.block.0.${module}.weight`,
    shape: [t5.relative_attention_num_buckets, t5.num_heads],
    tensor: `${stack}.${module}`,
    group: `${stack}.attention`,
  };
}
