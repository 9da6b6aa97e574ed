import * as tf from "@tensorflow/tfjs-core";
import { inOrder, operands } from "../graph.ts";
import { geluShare, geluSlope } from "./gelu.ts";
import { isHalf, roundedOnHost } from "./half-floats.ts";
import type { Computation, Computed, Lowering, LoweringRun } from "./lowering.ts";
import { multiply } from "./products.ts";
import { byRows, rowsOf, takeRows } from "./rows.ts";

type LoweringOf<Op extends Computed> = (node: Computation<Op>, run: LoweringRun) => tf.Tensor | Promise<tf.Tensor>;

/** By what every backend of TensorFlow.js can do. */
export const commonLowering: Lowering = {
  plan: (outputs) => ({ outputs, order: inOrder(outputs), reads: operands }),
  evaluate,
};

/** Computes one node from its computed operands; the caller owns the result. */
export async function evaluate<Op extends Computed>(node: Computation<Op>, run: LoweringRun): Promise<tf.Tensor> {
  const lowering = lowerings[node.op] as LoweringOf<Op>;
  return lowering(node, run);
}

const lowerings = {
  constant: ({ values, shape }) => tf.tensor(values, [...shape], "float32"),
  // A half float is held as the f32 that it is.
  cast: ({ x, dtype }, { of, pace }) => (isHalf(dtype) ? roundedOnHost(of(x), dtype, pace) : tf.clone(of(x))),
  reshape: ({ x, shape }, { of }) => tf.reshape(of(x), [...shape]),
  permute: ({ x, order }, { of }) => tf.transpose(of(x), [...order]),
  add: ({ x, y }, { of }) => tf.add(of(x), of(y)),
  sub: ({ x, y }, { of }) => tf.sub(of(x), of(y)),
  mul: ({ x, y }, { of }) => tf.mul(of(x), of(y)),
  div: ({ x, y }, { of }) => tf.div(of(x), of(y)),
  scale: ({ x, factor }, { of }) => tf.tidy(() => tf.mul(of(x), tf.scalar(factor))),
  sumTo: ({ x, shape }, { of }) =>
    tf.sum(
      of(x),
      shape.flatMap((size, axis) => (size === x.shape[axis] ? [] : [axis])),
      true,
    ),
  silu: ({ x }, { of }) => tf.tidy(() => tf.mul(of(x), tf.sigmoid(of(x)))),
  gelu: ({ x, form }, { of }) => tf.tidy(() => tf.mul(of(x), geluShare[form](of(x)))),
  relu: ({ x }, { of }) => tf.relu(of(x)),
  tanh: ({ x }, { of }) => tf.tanh(of(x)),
  abs: ({ x }, { of }) => tf.abs(of(x)),
  // tf.step would give NaN of NaN.
  step: ({ x }, { of }) => tf.tidy(() => tf.cast(tf.greater(of(x), 0), "float32")),
  matmul: multiply,
  gatherRows: ({ table, rows }, { of }) => takeRows(of(table), of(rows)),
  scatterRows: ({ x, rows, shape }, { of }) =>
    tf.tidy(() => tf.scatterND(tf.reshape(of(rows), [-1, 1]), of(x), [...shape])),
  sliceRows: ({ x, from, shape }, { of }) => rowsOf(of(x), from, shape[0] ?? 0),
  concat: ({ x, y, axis }, { of }) => tf.concat([of(x), of(y)], axis),
  normalize: ({ x, epsilon }, { of }) => tf.tidy(() => tf.mul(of(x), inverseRms(of(x), epsilon))),
  rope,
  softmax,
  logProbability,
  argmax: ({ x }, { of }) => tf.argMax(of(x), 1),
  siluBack: ({ g, x }, { of }) =>
    tf.tidy(() => {
      const s = tf.sigmoid(of(x));
      return tf.mul(of(g), tf.mul(s, tf.add(tf.mul(of(x), tf.sub(1, s)), 1)));
    }),
  geluBack: ({ g, x, form }, { of }) => tf.tidy(() => tf.mul(of(g), geluSlope[form](of(x)))),
  reluBack: ({ g, x }, { of }) => tf.tidy(() => tf.mul(of(g), tf.step(of(x)))),
  normalizeBack: ({ g, x, epsilon }, { of }) =>
    tf.tidy(() => {
      const inverse = inverseRms(of(x), epsilon);
      const normed = tf.mul(of(x), inverse);
      const along = tf.mean(tf.mul(of(g), normed), -1, true);
      return tf.mul(tf.sub(of(g), tf.mul(normed, along)), inverse);
    }),
  softmaxBack: ({ g, result, factor }, { of }) =>
    tf.tidy(() => {
      const along = tf.sum(tf.mul(of(g), of(result)), -1, true);
      return tf.mul(tf.mul(of(result), tf.sub(of(g), along)), factor);
    }),
  logProbabilityBack,
  padRows: ({ g, from, shape }, { of }) =>
    tf.pad(of(g), [
      [from, (shape[0] ?? 0) - (g.shape[0] ?? 0) - from],
      [0, 0],
    ]),
  // Row by row first: one sum after the other would lose digits over millions of elements.
  dot: ({ x, y }, { of }) => tf.tidy(() => tf.reshape(tf.sum(tf.sum(tf.mul(of(x), of(y)), -1)), [1])),
} satisfies { readonly [Op in Computed]: LoweringOf<Op> };

/** x * cos + (the other half of x) * sin, where the first half takes the second negated; what does not turn stands behind. */
function rope({ x, positions, periods, factor }: Computation<"rope">, { of }: LoweringRun): tf.Tensor {
  return tf.tidy(() => {
    const [n = 0, heads = 0, width = 0] = x.shape;
    const turning = 2 * (periods.shape[0] ?? 0);
    const [head = of(x), rest] = turning < width ? tf.split(of(x), [turning, width - turning], 2) : [];
    const angles = tf.div(tf.reshape(tf.cast(of(positions), "float32"), [n, 1, 1, 1]), of(periods));
    const sines = tf.mul(tf.sin(angles), tf.tensor([-factor, factor], [1, 1, 2, 1]));
    const halves = tf.reshape(head, [n, heads, 2, turning / 2]);
    const turned = tf.add(tf.mul(halves, tf.mul(tf.cos(angles), factor)), tf.mul(tf.reverse(halves, 2), sines));
    const whole = tf.reshape(turned, [n, heads, turning]);
    return rest ? tf.concat([whole, rest], 2) : whole;
  });
}

/** In blocks of rows, or of sequences. */
function softmax({ x, mask, factor }: Computation<"softmax">, { of, pace }: LoweringRun): Promise<tf.Tensor> {
  const block = (rows: tf.Tensor, begin: number): tf.Tensor => {
    const scaled = tf.mul(rows, factor);
    return tf.softmax(mask ? tf.add(scaled, tf.expandDims(rowsOf(of(mask), begin, rows.shape[0] ?? 0), 1)) : scaled);
  };
  return byRows(of(x), (flopPerLogit * of(x).size) / (x.shape[0] ?? 1), block, pace);
}

/** Logits are taken relative to their row's largest, which keeps exp in range and differences exact. */
async function logProbability(
  { logits, targets }: Computation<"logProbability">,
  { of, pace }: LoweringRun,
): Promise<tf.Tensor> {
  const [, vocabulary = 0] = logits.shape;
  const wanted = await of(targets).data<"int32">();
  const block = (rows: tf.Tensor, begin: number): tf.Tensor => {
    const [count = 0] = rows.shape;
    const largest = tf.max(rows, -1, true);
    const total = tf.sum(tf.exp(tf.sub(rows, largest)), -1);
    const places = Int32Array.from({ length: count }, (_, row) => row * vocabulary + (wanted[begin + row] ?? 0));
    const found = tf.gather(tf.reshape(rows, [-1]), tf.tensor1d(places, "int32"));
    return tf.sub(tf.sub(found, tf.reshape(largest, [-1])), tf.log(total));
  };
  return byRows(of(logits), flopPerLogit * vocabulary, block, pace);
}

/** g times the difference between what is so and what was expected. */
function logProbabilityBack(
  { g, logits, targets }: Computation<"logProbabilityBack">,
  { of, pace }: LoweringRun,
): Promise<tf.Tensor> {
  const [, vocabulary = 0] = logits.shape;
  const block = (rows: tf.Tensor, begin: number): tf.Tensor => {
    const own = (x: tf.Tensor): tf.Tensor => tf.slice(x, begin, rows.shape[0] ?? 0);
    // Asked for floats, oneHot under wasm writes the bits of whole numbers.
    const places = tf.cast(tf.oneHot(own(of(targets)), vocabulary), "float32");
    return tf.mul(tf.sub(places, tf.softmax(rows)), tf.expandDims(own(of(g)), 1));
  };
  return byRows(of(logits), flopPerLogit * vocabulary, block, pace);
}

function inverseRms(x: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
}

/** Time to reduce one logit (15 ns under wasm), in operations of a matrix product. */
export const flopPerLogit = 400;
