import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Dtype, elementCount, type Shape } from "../../src/tensor/dtype.ts";
import { gramOf } from "../../src/tensor/gram.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { type Vectors, vectorGramsOf } from "../../src/tensor/vector-grams.ts";
import type { Stored } from "../merge/reference-merge.ts";

function random(shape: Shape, seed: number, dtype: Dtype): Stored {
  const stream = RandomStream.of(seed, "weight");
  const values = Float32Array.from({ length: elementCount(shape) }, () => stream.normal());
  return { dtype, bytes: fromFloat32(values, dtype) };
}

/** The same elements as tensors of one vector each, in f32. */
function vectorsOf(vectors: Vectors, shape: Shape, { dtype, bytes }: Stored): Stored[] {
  const values = toFloat32(bytes, dtype);
  const along = vectors === "rows" ? shape.at(-1)! : shape[0]!;
  const count = values.length / along;
  return Array.from({ length: count }, (_, vector) => {
    const own = Float32Array.from({ length: along }, (__, k) =>
      vectors === "rows" ? values[vector * along + k]! : values[k * count + vector]!,
    );
    return { dtype: "f32", bytes: fromFloat32(own, "f32") };
  });
}

const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2500 })),
  fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9 })),
  fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 })),
);
const dtypes = fc.array(fc.constantFrom<Dtype>("f32", "f16", "bf16"), { minLength: 1, maxLength: 4 });

test.each([
  ["rows", [3, 70_001], [3, 1]],
  ["columns", [70_001, 3], [1, 3]],
  ["rows", [2, 3, 4], [2, 3, 1]],
  ["columns", [2, 3, 4], [1, 3, 4]],
] as const)("%s of %j have numbers of %j", async (vectors, shape, expected) => {
  const base = random(shape, 1, "f32");
  expect((await vectorGramsOf(vectors, shape, base, [])).shape).toEqual(expected);
});

test("columns whose sums end with a page of memory have those of the last ones, too", async () => {
  // A piece ends in each row, so that four elements reach over the last column; 12288 and 6 times 8 bytes of each column are 183 pages.
  const shape: Shape = [2, 249_599];
  const parents = [1, 2, 3].map((seed) => random(shape, seed, "f32"));
  const [base, ...experts] = parents;
  const found = await vectorGramsOf("columns", shape, base!, experts);
  const [own, ...others] = parents.map((parent) => vectorsOf("columns", shape, parent).at(-1)!);
  const expected = await gramOf(own!, others);
  for (const [i, row] of found.at(found.count - 1).entries())
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i]![j]!, 12);
});

test.each(["rows", "columns"] as const)("%s have the inner products that they have as tensors", async (vectors) => {
  await fc.assert(
    fc.asyncProperty(shapes, dtypes, fc.nat(), async (shape, types, seed) => {
      const parents = types.map((dtype, i) => random(shape, seed + i, dtype));
      const [base, ...experts] = parents;
      const found = await vectorGramsOf(vectors, shape, base!, experts);
      const apart = parents.map((parent) => vectorsOf(vectors, shape, parent));
      expect(found.count).toBe(apart[0]!.length);
      for (const vector of apart[0]!.keys()) {
        const [own, ...others] = apart.map((all) => all[vector]!);
        const expected = await gramOf(own!, others);
        const scale = Math.max(...expected.map((row, i) => row[i]!));
        for (const [i, row] of found.at(vector).entries())
          for (const [j, value] of row.entries())
            expect(Math.abs(expected[i]![j]! - value)).toBeLessThanOrEqual(1e-13 * scale);
      }
    }),
    { numRuns: 10 },
  );
});

test.each(["rows", "columns"] as const)("%s that several pieces hold are summed over all of them", async (vectors) => {
  const shape = vectors === "rows" ? [2, 140_001] : [46_667, 6];
  const [base, expert] = [random(shape, 1, "bf16"), random(shape, 2, "f32")];
  const found = await vectorGramsOf(vectors, shape, base, [expert]);
  const [whole, part] = [await gramOf(base, [expert]), Array.from({ length: found.count }, (_, i) => found.at(i))];
  for (const [i, row] of whole.entries())
    for (const [j, value] of row.entries())
      expect(part.reduce((sum, gram) => sum + gram[i]![j]!, 0) / value).toBeCloseTo(1, 9);
});

test("a weight of no elements has no vectors", async () => {
  const nothing: Stored = { dtype: "f32", bytes: new Uint8Array() };
  expect((await vectorGramsOf("rows", [0, 3], nothing, [nothing])).count).toBe(0);
});
