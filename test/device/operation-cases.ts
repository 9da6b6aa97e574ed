import { readFileSync } from "node:fs";
import {
  abs,
  add,
  argmax,
  cast,
  concat,
  div,
  dot,
  normalize,
  gatherRows,
  gelu,
  logProbability,
  matmul,
  mul,
  permute,
  reshape,
  rope,
  relu,
  scale,
  scatterRows,
  silu,
  sliceRows,
  softmax,
  step,
  sub,
  sumTo,
  tanh,
  type Expression,
} from "../../src/device/expression.ts";
import { attention, linear, rmsNorm, softCap } from "../../src/device/layers.ts";
import type { DeviceDtype } from "../../src/device/device.ts";
import type { GeluForm } from "../../src/device/gelu.ts";
import type { Dtype, Shape } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import type { Tolerance } from "./tolerances.ts";

/** A tensor of the fixture: little-endian bytes. */
export interface StoredTensor {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** One operation with inputs and PyTorch's answer (test/fixtures/device/make-operations.py). */
export interface OperationCase {
  readonly op: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, StoredTensor>>;
  readonly expected: StoredTensor;
  /** What bounds its error; an exact one must give the same bits. */
  readonly kind: "exact" | keyof Tolerance;
  readonly build: (inputs: Readonly<Record<string, Expression>>) => Expression;
}

type Operands = Readonly<Record<string, Expression>>;

type Builder = (operands: Operands, attributes: Attributes) => Expression;

export interface RawTensor {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
  readonly base64: string;
}

export interface RawCase extends Attributes {
  readonly op: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, RawTensor>>;
}

/** What a builder needs beside the inputs. */
interface Attributes {
  readonly expected: RawTensor;
  readonly factor?: number;
  readonly from?: number;
  readonly axis?: number;
  readonly epsilon?: number;
  readonly cap?: number;
  readonly form?: GeluForm;
  readonly shape?: Shape;
  readonly order?: readonly number[];
  readonly transposed?: string;
  readonly through?: Dtype;
}

const builders: Readonly<Record<string, Builder>> = {
  cast: ({ x }, { expected }) => cast(x!, expected.dtype as Dtype),
  roundTrip: ({ x }, { through }) => cast(cast(x!, through!), "f32"),
  reshape: ({ x }, { shape }) => reshape(x!, shape!),
  permute: ({ x }, { order }) => permute(x!, order!),
  add: ({ x, y }) => add(x!, y!),
  sub: ({ x, y }) => sub(x!, y!),
  mul: ({ x, y }) => mul(x!, y!),
  div: ({ x, y }) => div(x!, y!),
  scale: ({ x }, { factor }) => scale(x!, factor!),
  silu: ({ x }) => silu(x!),
  gelu: ({ x }, { form }) => gelu(x!, form!),
  relu: ({ x }) => relu(x!),
  abs: ({ x }) => abs(x!),
  step: ({ x }) => step(x!),
  tanh: ({ x }) => tanh(x!),
  softCap: ({ x }, { cap }) => softCap(x!, cap!),
  sumTo: ({ x }, { expected }) => sumTo(x!, expected.shape),
  matmul: ({ x, y }, { transposed = "" }) =>
    matmul(x!, y!, { transposeX: transposed.includes("x"), transposeY: transposed.includes("y") }),
  linear: ({ x, weight }) => linear(x!, weight!),
  gatherRows: ({ table, rows }) => gatherRows(table!, rows!),
  sliceRows: ({ x }, { from, expected }) => sliceRows(x!, from!, expected.shape[0]!),
  concat: ({ x, y }, { axis }) => concat(x!, y!, axis!),
  scatterRows: ({ x, rows }, { expected }) => scatterRows(x!, rows!, expected.shape[0]!),
  normalize: ({ x }, { epsilon }) => normalize(x!, epsilon!),
  rmsNorm: ({ x, weight }, { epsilon }) => rmsNorm(x!, weight!, epsilon!),
  rope: ({ x, positions, periods }, { factor }) => rope(x!, positions!, periods!, factor),
  softmax: ({ x, mask }, { factor }) => softmax(x!, mask ? { mask, factor: factor! } : {}),
  attention: ({ query, key, value, mask, bias }, { factor, cap }) =>
    attention({ query: query!, key: key!, value: value!, mask: mask!, bias }, { factor: factor!, ...(cap && { cap }) }),
  logProbability: ({ logits, targets }) => logProbability(logits!, targets!),
  argmax: ({ x }) => argmax(x!),
  merge: ({ base, first, second }) =>
    add(add(base!, scale(sub(first!, base!), 0.7)), scale(sub(second!, base!), -0.35)),
  dot: ({ x, y }) => dot(x!, y!),
  feedForward: ({ x, weight, gain }) => {
    const normed = rmsNorm(x!, gain!, 1e-6);
    const gated = mul(silu(linear(normed, weight!)), linear(normed, weight!));
    return add(x!, linear(gated, weight!));
  },
};

/** Operations that round once, or never: every engine must give PyTorch's bits. */
const exact: ReadonlySet<string> = new Set([
  "cast",
  "reshape",
  "permute",
  "add",
  "sub",
  "mul",
  "div",
  "scale",
  "abs",
  "step",
  "gatherRows",
  "sliceRows",
  "concat",
  "argmax",
]);
/** What engines may compute with products. */
const products: ReadonlySet<string> = new Set(["matmul", "scatterRows", "attention"]);

const raw = readFileSync(new URL("../fixtures/device/operations.json", import.meta.url), "utf8");

export const operationCases: readonly OperationCase[] = (JSON.parse(raw) as RawCase[]).map(caseOf);

/** A stored case, with the graph that its name stands for. */
export function caseOf(stored: RawCase): OperationCase {
  return {
    op: stored.op,
    name: stored.name,
    inputs: decodeAll(stored.inputs),
    expected: decode(stored.expected),
    kind: kindOf(stored),
    build: (inputs) => builders[stored.op]!(inputs, stored),
  };
}

export function decodeAll(tensors: Readonly<Record<string, RawTensor>>): Record<string, StoredTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, decode(tensor)]));
}

function kindOf({ op, inputs: { x, weight } }: RawCase): OperationCase["kind"] {
  if (exact.has(op)) return "exact";
  if (products.has(op)) return "products";
  if (op !== "linear") return "functions";
  // Engines may round x to the format of the weight, which matters where x is not of that format already.
  const dtype = weight!.dtype as Dtype;
  const values = toFloat32(decode(x!).bytes, "f32");
  const rounded = toFloat32(fromFloat32(values, dtype), dtype);
  if (!values.every((value, i) => value === rounded[i])) return "halfProducts";
  return dtype === "f32" ? "products" : "halfSums";
}

export function decode({ dtype, shape, base64 }: RawTensor): StoredTensor {
  return { dtype, shape, bytes: new Uint8Array(Buffer.from(base64, "base64")) };
}
