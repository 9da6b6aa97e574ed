import type { Shape } from "../tensor/dtype.ts";
import type { Gram } from "../tensor/gram.ts";
import type { VectorGrams } from "../tensor/vector-grams.ts";
import type { Dual } from "./dual.ts";

/** A number of a formula for each of the vectors that a weight is divided into. */
export interface VectorNumbers {
  /** It repeats to the weight's. */
  readonly shape: Shape;
  readonly values: Float32Array;
  /** Derivatives of all by each input; those behind the end are 0. */
  readonly slopes: readonly Float64Array[];
}

/** What a method makes of the inner products of each vector, by name, in the order of the experts. */
export function numbersByVector(
  vectors: VectorGrams,
  make: (gram: Gram) => Readonly<Record<string, readonly Dual[]>>,
): Readonly<Record<string, readonly VectorNumbers[]>> {
  const { shape, count } = vectors;
  const made: Record<string, { shape: Shape; values: Float32Array; slopes: Float64Array[] }[]> = {};
  for (let vector = 0; vector < count; vector += 1) {
    for (const [name, duals] of Object.entries(make(vectors.at(vector)))) {
      const own = (made[name] ??= duals.map(() => ({ shape, values: new Float32Array(count), slopes: [] })));
      for (const [expert, numbers] of own.entries()) {
        const { value = Number.NaN, slopes = [] } = duals[expert] ?? {};
        numbers.values[vector] = value;
        for (const [input, slope] of slopes.entries())
          (numbers.slopes[input] ??= new Float64Array(count))[vector] = slope;
      }
    }
  }
  return made;
}
