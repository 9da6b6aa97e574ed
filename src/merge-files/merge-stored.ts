import type { DeviceTensor } from "../device/device-tensor.ts";
import { type Expression, input } from "../device/expression.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import { type Prepared, prepareMerge } from "../merge/prepare-merge.ts";
import type { Step } from "../merge/recipe.ts";
import type { Dtype, Shape } from "../tensor/dtype.ts";
import type { StoredValues } from "../tensor/gram.ts";
import { fromFloat32, toFloat32 } from "../tensor/half.ts";
import type { PlannedWeight } from "./plan.ts";

/** A tensor of one parent as it is stored. */
export interface ParentTensor extends StoredValues {
  readonly dtype: Dtype;
  readonly shape: Shape;
}

/** The bytes of a merged weight, from those of its base, where it has one, and its experts. */
export async function mergeStored(weight: PlannedWeight, stored: readonly ParentTensor[]): Promise<Uint8Array> {
  const known = new Map<Expression, Float32Array>();
  const put = new Map<DeviceTensor, Float32Array>();
  const expression = mergeOf(weight, stored, await prepared(weight, stored), put);
  const valuesOf = (x: Expression): Float32Array => {
    const values = known.get(x) ?? compute(x, valuesOf, (tensor) => put.get(tensor) ?? notPut());
    known.set(x, values);
    return values;
  };
  return fromFloat32(valuesOf(expression), weight.spec.dtype);
}

/** The merge of a weight as an expression of an input for each parent and leaf, whose values are put. */
function mergeOf(
  { spec, base, experts, step }: PlannedWeight,
  stored: readonly ParentTensor[],
  { facts, leaves }: Prepared,
  put: Map<DeviceTensor, Float32Array>,
): Expression {
  const first = base ? 1 : 0;
  const names = experts.map((_, i) => String(first + i));
  const inputOf = (tensor: DeviceTensor, values: Float32Array): Expression => {
    put.set(tensor, values);
    return input(tensor);
  };
  // What a method without a base is given for one tells it no more than a shape.
  const models = Object.fromEntries(
    stored.map(({ bytes, dtype, shape }, i) => [String(i), inputOf({ dtype, shape }, toFloat32(bytes, dtype))]),
  );
  const { shape = [] } = stored[0] ?? {};
  const own = leaves.map((byName) =>
    Object.fromEntries(
      Object.entries(byName).map(([name, values]) => [name, inputOf({ dtype: "f32", shape }, values)] as const),
    ),
  );
  const parents = { models, base: "0", experts: names, ...facts, leaves: own, dtype: spec.dtype };
  return mergeTensor(parents, renamed(step, base ? [base, ...experts] : experts));
}

/** A `passthrough` that names its parent by its place among them. */
function renamed(step: Step, sources: readonly { readonly model: string }[]): Step {
  if (step.method !== "passthrough") return step;
  const at = sources.findIndex(({ model }) => model === step.model);
  return { ...step, model: String(at) };
}

function prepared({ base, experts, step }: PlannedWeight, stored: readonly ParentTensor[]): Promise<Prepared> {
  const [first] = stored;
  if (!first) throw new Error("merge: a weight without parents");
  const own = base ? stored.slice(1) : stored;
  // Leaves are those of the parents' weight, wherever it goes.
  return prepareMerge(step, {
    weight: (base ?? experts[0])?.tensor ?? "",
    shape: first.shape,
    base: first,
    experts: experts.map(({ model }, i) => ({ name: model, stored: own[i] ?? first })),
  });
}

function notPut(): never {
  throw new Error("merge: an input that is no parent");
}

/** Elementwise, in f32; a format that an inner expression is cast to is honoured. */
function compute(
  x: Expression,
  valuesOf: (x: Expression) => Float32Array,
  inputOf: (tensor: DeviceTensor) => Float32Array,
): Float32Array {
  switch (x.op) {
    case "input":
      return inputOf(x.tensor);
    case "constant":
      return x.values;
    case "cast":
      return x.dtype === "i32" ? unsupported(x) : toFloat32(fromFloat32(valuesOf(x.x), x.dtype), x.dtype);
    case "scale":
      return valuesOf(x.x).map((value) => value * x.factor);
    case "abs":
      return valuesOf(x.x).map(Math.abs);
    case "step":
      return valuesOf(x.x).map((value) => (value > 0 ? 1 : 0));
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const other = valuesOf(x.y);
      return valuesOf(x.x).map((value, i) => binary[x.op](value, other[i % other.length] ?? 0));
    }
    default:
      return unsupported(x);
  }
}

const binary = {
  add: (x: number, y: number) => x + y,
  sub: (x: number, y: number) => x - y,
  mul: (x: number, y: number) => x * y,
  div: (x: number, y: number) => x / y,
} as const;

function unsupported({ op }: Expression): never {
  throw new Error(`merge: ${op} is not computed element by element`);
}
