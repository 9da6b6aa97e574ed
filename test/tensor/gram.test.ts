import * as fc from "fast-check";
import { expect, test } from "vitest";
import { gramOf } from "../../src/tensor/gram.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import type { Stored } from "../merge/reference-merge.ts";

function random(length: number, seed: number, dtype: Dtype): Stored {
  const stream = RandomStream.of(seed, "weight");
  return {
    dtype,
    bytes: fromFloat32(
      Float32Array.from({ length }, () => stream.normal()),
      dtype,
    ),
  };
}

/** Sums of products one after the other, in doubles. */
function naive(parents: readonly Stored[]): number[][] {
  const values = parents.map(({ bytes, dtype }) => [...toFloat32(bytes, dtype)]);
  const own = values.map((list, i) => (i === 0 ? list : list.map((value, k) => value - values[0]![k]!)));
  return own.map((x) => own.map((y) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)));
}

/** The sum of every fourth product of a block, from one on. */
function everyFourth(x: Float64Array, y: Float64Array, from: number, end: number): number {
  let sum = 0;
  for (let k = from; k < end; k += 4) sum += x[k]! * y[k]!;
  return sum;
}

function product(x: Float64Array, y: Float64Array): number {
  let [even, odd] = [0, 0];
  for (let start = 0; start < x.length; start += 1024) {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => everyFourth(x, y, start + i, Math.min(start + 1024, x.length)));
    even += a! + c!;
    odd += b! + d!;
  }
  return even + odd;
}

/** Products of doubles, of which every fourth are added one after the other in blocks of 1024, whose even and odd sums are added one after the other. */
function inBlocks(parents: readonly Stored[]): number[][] {
  const values = parents.map(({ bytes, dtype }) => toFloat32(bytes, dtype));
  const [base] = values;
  const own = values.map((list, i) => Float64Array.from(list, (value, k) => (i === 0 ? value : value - base![k]!)));
  return own.map((x) => own.map((y) => product(x, y)));
}

test.each([1, 2, 3, 4, 5])("sums of %i parents have the bits of their order", async (count) => {
  for (const length of [1, 1000, 1024, 5000, 70_001]) {
    const dtypes = (["bf16", "f16", "f32", "bf16", "f32"] as const).slice(0, count);
    const parents = dtypes.map((type, i) => random(length, i, type));
    const [base, ...experts] = parents;
    expect(await gramOf(base!, experts)).toEqual(inBlocks(parents));
  }
});

/** The same bytes at another alignment. */
function shifted({ dtype, bytes }: Stored): Stored {
  const room = new Uint8Array(bytes.length + 3);
  room.set(bytes, 3);
  return { dtype, bytes: room.subarray(3) };
}

test("inner products are those of the base and of what each expert adds to it", async () => {
  const dtype = fc.constantFrom<Dtype>("f32", "f16", "bf16");
  const shape = fc.record({
    length: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 65_530, max: 65_540 })),
    dtypes: fc.array(dtype, { minLength: 1, maxLength: 5 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ length, dtypes, seed }) => {
      const parents = dtypes.map((type, i) => random(length, seed + i, type));
      const [base, ...experts] = parents;
      const found = await gramOf(base!, experts);
      const expected = naive(parents);
      const scale = Math.max(...expected.map((row, i) => row[i]!));
      for (const [i, row] of expected.entries())
        for (const [j, value] of row.entries())
          expect(Math.abs(found[i]![j]! - value)).toBeLessThanOrEqual(1e-12 * scale);
    }),
    { numRuns: 40 },
  );
});

test("what an expert adds is not lost in what it is added to", async () => {
  const base = { dtype: "f32", bytes: fromFloat32(new Float32Array(5000).fill(1000), "f32") } as const;
  const near = { dtype: "f32", bytes: fromFloat32(new Float32Array(5000).fill(1000 + 2 ** -13), "f32") } as const;
  expect((await gramOf(base, [near]))[1]![1]).toBe(5000 * 2 ** -26);
});

test("the bits do not depend on where the bytes lie", async () => {
  const [base, expert] = [random(70_001, 1, "bf16"), random(70_001, 2, "f32")];
  expect(await gramOf(shifted(base), [shifted(expert)])).toEqual(await gramOf(base, [expert]));
});
