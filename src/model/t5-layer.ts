/** The layers of a T5: attention within the stack, in the decoder attention to what the encoder made, and an MLP. */
import { add, gatherRows, gelu, mul, relu, silu, type Expression } from "../device/expression.ts";
import type { Stage, StageTensors, State } from "./architecture.ts";
import { named } from "./stage-parts.ts";
import { attend, biasesOf, seenOf, type Seen } from "./t5-attention.ts";
import type { T5 } from "./t5-config.ts";
import { sourceOf, type T5Parts } from "./t5-parts.ts";

/** What the encoder made is remembered, so that a batch that goes on with another has no source to read. */
export function encoderLayer(t5: T5, parts: T5Parts): Stage["forward"] {
  return (weights, state, batch) => {
    const { length, read } = sourceOf(batch);
    if (!read) return state;
    const { sequences } = batch;
    const hidden = named(state, "hidden");
    const x = parts.norm(weights, "self norm", hidden);
    const seen = seenOf(t5, parts, weights, "self", { x, sequences });
    const bias = biasesOf(t5, weights, read.distances, [1, length, length]);
    const attended = add(hidden, attend(t5, parts, weights, "self", { sequences, x, seen, mask: read.mask, bias }));
    return { hidden: feedForward(t5, parts, weights, attended) };
  };
}

/** What a decoder's layer leaves in its state where a batch remembers: keys and values of its own tokens and of the source's. */
export const decoderRemembers = ["keys", "values", "source keys", "source values"] as const;

/** Behind the attention of the last layer no token sees another, so what follows is computed for those that are read. */
export function decoderLayer(t5: T5, parts: T5Parts, isLast: boolean): Stage["forward"] {
  return (weights, state, batch) => {
    const { sequences, length, remembers } = batch;
    const source = sourceOf(batch);
    const hidden = named(state, "hidden");
    const reads = isLast ? batch.reads : undefined;
    const read = (x: Expression): Expression => (reads ? gatherRows(x, reads.tokens) : x);
    const x = parts.norm(weights, "self norm", hidden);
    const own = seenOf(t5, parts, weights, "self", { x, sequences, past: state });
    const mask = named(batch.masks, "causal");
    const bias = biasesOf(t5, weights, source.targetDistances, [sequences, length, mask.shape[2] ?? 0]);
    const attended = add(hidden, attend(t5, parts, weights, "self", { sequences, x, seen: own, mask, bias }));
    const asking = parts.norm(weights, "cross norm", attended);
    const { memory } = state;
    const encoded = memory ? seenOf(t5, parts, weights, "cross", { x: memory, sequences }) : remembered(state);
    const across = { sequences, x: asking, seen: encoded, mask: source.seen, read };
    const informed = add(read(attended), attend(t5, parts, weights, "cross", across));
    return {
      hidden: feedForward(t5, parts, weights, informed),
      ...(memory && !isLast && { memory }),
      ...(remembers && { ...own, "source keys": encoded.keys, "source values": encoded.values }),
    };
  };
}

function remembered(state: State): Seen {
  return { keys: named(state, "source keys"), values: named(state, "source values") };
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
