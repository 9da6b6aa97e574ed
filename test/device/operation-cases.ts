import { readFileSync } from "node:fs";
import {
  add,
  attention,
  cast,
  gatherRows,
  linear,
  logProbability,
  mul,
  reshape,
  rmsNorm,
  rope,
  scale,
  silu,
  sub,
  type Expression,
  type Operation,
} from "../../src/device/expression.ts";
import type { DeviceDtype } from "../../src/device/device.ts";
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
  readonly op: TestedOperation;
  readonly name: string;
  readonly inputs: Readonly<Record<string, StoredTensor>>;
  readonly expected: StoredTensor;
  /** What bounds its error; an exact one must give the same bits. */
  readonly kind: "exact" | keyof Tolerance;
  readonly build: (inputs: Readonly<Record<string, Expression>>) => Expression;
}

type TestedOperation = Exclude<Operation, "input">;
type Operands = Readonly<Record<string, Expression>>;

interface RawTensor {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
  readonly base64: string;
}

interface RawCase {
  readonly op: TestedOperation;
  readonly name: string;
  readonly inputs: Readonly<Record<string, RawTensor>>;
  readonly expected: RawTensor;
  readonly factor?: number;
  readonly epsilon?: number;
  readonly shape?: Shape;
}

const builders = {
  cast: ({ x }, { expected }) => cast(x!, expected.dtype as Dtype),
  reshape: ({ x }, { shape }) => reshape(x!, shape!),
  add: ({ x, y }) => add(x!, y!),
  sub: ({ x, y }) => sub(x!, y!),
  mul: ({ x, y }) => mul(x!, y!),
  scale: ({ x }, { factor }) => scale(x!, factor!),
  silu: ({ x }) => silu(x!),
  linear: ({ x, weight }) => linear(x!, weight!),
  gatherRows: ({ table, rows }) => gatherRows(table!, rows!),
  rmsNorm: ({ x, weight }, { epsilon }) => rmsNorm(x!, weight!, epsilon!),
  rope: ({ x, positions, periods }) => rope(x!, positions!, periods!),
  attention: ({ query, key, value, mask }, { factor }) =>
    attention({ query: query!, key: key!, value: value!, mask: mask! }, factor!),
  logProbability: ({ logits, targets }) => logProbability(logits!, targets!),
} satisfies Record<TestedOperation, (operands: Operands, raw: RawCase) => Expression>;

/** Operations that round once, or never: every engine must give PyTorch's bits. */
const exact: ReadonlySet<Operation> = new Set(["cast", "reshape", "add", "sub", "mul", "scale", "gatherRows"]);

const raw = readFileSync(new URL("../fixtures/device/operations.json", import.meta.url), "utf8");

export const operationCases: readonly OperationCase[] = (JSON.parse(raw) as RawCase[]).map((stored) => ({
  op: stored.op,
  name: stored.name,
  inputs: Object.fromEntries(Object.entries(stored.inputs).map(([name, tensor]) => [name, decode(tensor)])),
  expected: decode(stored.expected),
  kind: kindOf(stored),
  build: (inputs) => builders[stored.op](inputs, stored),
}));

export const testedOperations: readonly string[] = Object.keys(builders);

function kindOf({ op, inputs: { x, weight } }: RawCase): OperationCase["kind"] {
  if (exact.has(op)) return "exact";
  if (op === "attention") return "products";
  if (op !== "linear") return "functions";
  // Engines may round x to the format of the weight, which matters where x is not of that format already.
  const dtype = weight!.dtype as Dtype;
  const values = toFloat32(decode(x!).bytes, "f32");
  const rounded = toFloat32(fromFloat32(values, dtype), dtype);
  return values.every((value, i) => value === rounded[i]) ? "products" : "halfProducts";
}

function decode({ dtype, shape, base64 }: RawTensor): StoredTensor {
  return { dtype, shape, bytes: new Uint8Array(Buffer.from(base64, "base64")) };
}
