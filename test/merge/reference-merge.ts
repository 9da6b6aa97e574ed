import type { MethodName } from "../../src/merge/declarations.ts";
import type { Step } from "../../src/merge/recipe.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { unpack } from "../../src/tensor/packed.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";

/** A tensor of one parent as it is stored. */
export interface Stored {
  readonly dtype: Dtype;
  readonly bytes: Uint8Array;
}

type Element = (base: number, experts: readonly number[], weights: readonly number[]) => number;

const { fround } = Math;

/** One element in f32 arithmetic: a double holds products and sums of f32 well enough that rounding it is exact. */
const elements: Readonly<Record<MethodName, Element>> = {
  linear: (_, experts, weights) => experts.map((expert, i) => fround(weights[i]! * expert)).reduce(sum),
  task_arithmetic: (base, experts, weights) =>
    sum(base, experts.map((expert, i) => fround(weights[i]! * fround(expert - base))).reduce(sum)),
};

/** The bytes that every engine has to give for a step; coefficients of columns are as many as the last dimension has elements. */
export function referenceMerge(base: Stored, experts: Readonly<Record<string, Stored>>, step: Step): Uint8Array {
  if (step.method === "passthrough") return convert({ base, ...experts }[step.model]!, base.dtype);
  const origin = toFloat32(base.bytes, base.dtype);
  const others = Object.values(experts).map(({ bytes, dtype }) => toFloat32(bytes, dtype));
  const weights = step.values["weight"]!.map((value) =>
    typeof value === "number" ? [fround(value)] : [...unpack(value)!],
  );
  const element = elements[step.method];
  const merged = origin.map((value, k) =>
    element(
      value,
      others.map((other) => other[k]!),
      weights.map((own) => own[k % own.length]!),
    ),
  );
  return fromFloat32(merged, base.dtype);
}

function convert({ bytes, dtype }: Stored, wanted: Dtype): Uint8Array {
  return fromFloat32(toFloat32(bytes, dtype), wanted);
}

function sum(a: number, b: number): number {
  return fround(a + b);
}
