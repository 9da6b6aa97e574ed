import { declarationOf, type MethodName } from "../../src/merge/declarations.ts";
import { formulaNumbers } from "../../src/merge/formula-numbers.ts";
import type { Gram } from "../../src/tensor/gram.ts";
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

/** From an origin so much of each expert's difference from it, and of the origin itself what the factors exceed 1. */
function combination(origin: number, experts: readonly number[], factors: readonly number[], excess: number): number {
  const differences = experts.map((expert, i) => fround(factors[i]! * fround(expert - origin))).reduce(sum);
  return sum(sum(origin, fround(excess * origin)), differences);
}

/** One element in f32 arithmetic: a double holds products and sums of f32 well enough that rounding it is exact. */
const elements: Readonly<Partial<Record<MethodName, Element>>> = {
  linear: (_, experts, weights) => experts.map((expert, i) => fround(weights[i]! * expert)).reduce(sum),
  task_arithmetic: (base, experts, weights) =>
    sum(base, experts.map((expert, i) => fround(weights[i]! * fround(expert - base))).reduce(sum)),
};

/** The bytes that every engine has to give for a step; coefficients of columns are as many as the last dimension has elements. */
export function referenceMerge(
  base: Stored,
  experts: Readonly<Record<string, Stored>>,
  step: Step,
  gram?: Gram,
): Uint8Array {
  if (step.method === "passthrough") return convert({ base, ...experts }[step.model]!, base.dtype);
  const origin = toFloat32(base.bytes, base.dtype);
  const others = Object.values(experts).map(({ bytes, dtype }) => toFloat32(bytes, dtype));
  const declaration = declarationOf(step.method);
  const { values } = formulaNumbers(declaration, step.values, { gram });
  const weights = values[declaration.needs?.gram ? "factor" : "weight"]!.map((value) =>
    typeof value === "number" ? [fround(value)] : typeof value === "string" ? [...unpack(value)!] : [],
  );
  const excess = fround(Number(values["excess"]?.[0]));
  const element =
    (typeof step.method === "string" ? elements[step.method] : undefined) ??
    ((own, all, factors) => combination(declaration.needsBase ? own : all[0]!, all, factors, excess));
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
