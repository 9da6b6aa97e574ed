/** The layers of a T5: attention within the stack, in the decoder attention to what the encoder made, and an MLP. */
import {
  add,
  cast,
  gatherRows,
  gelu,
  mul,
  permute,
  relu,
  reshape,
  silu,
  type Expression,
} from "../device/expression.ts";
import { attention, linear, rmsNorm } from "../device/layers.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { SourceBatch, Stage, StageTensors, TokenBatch } from "./architecture.ts";
import type { T5 } from "./t5-config.ts";
import { named, once } from "./stage-parts.ts";

/** What stages of a T5 do with the weight of a role. */
export interface T5Parts {
  readonly precision: Dtype;
  /** x [n, in] to f32 [n, out] */
  readonly project: (weights: StageTensors, role: string, x: Expression) => Expression;
  /** x f32 [n, width], in that shape. */
  readonly norm: (weights: StageTensors, role: string, x: Expression) => Expression;
}

/** Matrix products run in `precision`; norms, softmax and everything between are f32. */
export function t5Parts({ layer_norm_epsilon: epsilon }: T5, precision: Dtype): T5Parts {
  const toPrecision = once((weight) => cast(weight, precision));
  const toF32 = once((weight) => cast(weight, "f32"));
  return {
    precision,
    project: (weights, role, x) => linear(x, toPrecision(named(weights, role))),
    norm: (weights, role, x) => rmsNorm(x, toF32(named(weights, role)), epsilon),
  };
}

export function encoderLayer(t5: T5, parts: T5Parts): Stage["forward"] {
  return (weights, state, batch) => {
    const { length, mask, distances } = sourceOf(batch);
    const hidden = named(state, "hidden");
    const biases = biasesOf(t5, weights, distances, [1, length]);
    const places = { sequences: batch.sequences, length, seenLength: length, mask, biases };
    const x = parts.norm(weights, "self norm", hidden);
    const attended = add(hidden, attend(t5, parts, weights, "self", { ...places, x, seen: x }));
    return { hidden: feedForward(t5, parts, weights, attended) };
  };
}

/** Behind the attention of the last layer no token sees another, so what follows is computed for those that are read. */
export function decoderLayer(t5: T5, parts: T5Parts, isLast: boolean): Stage["forward"] {
  return (weights, state, batch) => {
    const { sequences, length } = batch;
    const source = sourceOf(batch);
    const [hidden, memory] = [named(state, "hidden"), named(state, "memory")];
    const read = (x: Expression): Expression => (isLast ? gatherRows(x, batch.reads) : x);
    const x = parts.norm(weights, "self norm", hidden);
    const biases = biasesOf(t5, weights, source.targetDistances, [sequences, length]);
    const own = { sequences, length, seenLength: length, mask: named(batch.masks, "causal"), biases };
    const attended = add(hidden, attend(t5, parts, weights, "self", { ...own, x, seen: x }));
    const asking = parts.norm(weights, "cross norm", attended);
    const across = { sequences, length, seenLength: source.length, mask: source.seen, read };
    const informed = add(read(attended), attend(t5, parts, weights, "cross", { ...across, x: asking, seen: memory }));
    const fed = feedForward(t5, parts, weights, informed);
    return isLast ? { hidden: fed } : { hidden: fed, memory };
  };
}

export function sourceOf({ source }: TokenBatch): SourceBatch {
  if (!source) throw new Error("t5: a batch without what the encoder reads");
  return source;
}

interface Attended {
  readonly sequences: number;
  readonly length: number;
  /** f32 [sequences * length, d_model] */
  readonly x: Expression;
  readonly seenLength: number;
  /** f32 [sequences * seenLength, d_model] */
  readonly seen: Expression;
  readonly mask: Expression;
  readonly biases?: Expression;
  /** The rows whose output is wanted; all unless given. */
  readonly read?: (x: Expression) => Expression;
}

/** f32 [rows that are read, d_model]; scores are not scaled, which the initial weights make up for. */
function attend(
  { num_heads: heads, d_kv: width }: T5,
  { project, precision }: T5Parts,
  weights: StageTensors,
  prefix: "self" | "cross",
  { sequences, length, x, seenLength, seen, mask, biases: bias, read = (rows) => rows }: Attended,
): Expression {
  const query = reshape(project(weights, `${prefix} query`, x), [sequences, length, heads, width]);
  const [key, value] = (["key", "value"] as const).map((role) =>
    reshape(project(weights, `${prefix} ${role}`, seen), [sequences, seenLength, heads, width]),
  ) as [Expression, Expression];
  const mixed = attention({ query, key, value, mask, bias }, { factor: 1, precision });
  return project(weights, `${prefix} output`, read(mixed));
}

/** What is added to the scores of each head, f32 [batch, heads, length, length], by how far apart tokens are. */
function biasesOf(
  { num_heads: heads }: T5,
  weights: StageTensors,
  distances: Expression,
  [batch, length]: readonly [number, number],
): Expression {
  const found = gatherRows(named(weights, "self biases"), distances);
  return permute(reshape(found, [batch, length, length, heads]), [0, 3, 1, 2]);
}

const activations: Readonly<Record<T5["dense_act_fn"], (x: Expression) => Expression>> = {
  relu,
  silu,
  swish: silu,
  gelu: (x) => gelu(x, "erf"),
  gelu_new: (x) => gelu(x, "tanh"),
  gelu_pytorch_tanh: (x) => gelu(x, "tanh"),
};

function feedForward(t5: T5, { project, norm }: T5Parts, weights: StageTensors, hidden: Expression): Expression {
  const x = norm(weights, "mlp norm", hidden);
  const activation = activations[t5.dense_act_fn];
  const inner = t5.is_gated_act
    ? mul(activation(project(weights, "gate", x)), project(weights, "up", x))
    : activation(project(weights, "up", x));
  return add(hidden, project(weights, "down", inner));
}
