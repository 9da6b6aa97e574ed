import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rowDivergences } from "../../src/tensor/divergence.ts";
import type { StoredValues } from "../../src/tensor/stored-values.ts";
import { fromFloat32 } from "../../src/tensor/half.ts";

function f32(values: ArrayLike<number>): StoredValues {
  return { dtype: "f32", bytes: fromFloat32(Float32Array.from(values), "f32") };
}

function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values);
  const parts = values.map((value) => Math.exp(value - most));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

function divergence(x: readonly number[], base: readonly number[]): number {
  const q = softmax(base);
  return softmax(x).reduce((sum, p, i) => sum + (p > 0 ? p * Math.log(p / q[i]!) : 0), 0);
}

test("rows have the divergences that the definition gives, as far as its digits go", async () => {
  const value = fc.double({ min: -20, max: 20, noNaN: true }).map((x) => Math.fround(x));
  const rows = fc.integer({ min: 1, max: 40 }).chain((width) => {
    const row = fc.array(value, { minLength: width, maxLength: width });
    return fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 4 });
  });
  await fc.assert(
    fc.asyncProperty(rows, async (pairs) => {
      const [base, x] = [0, 1].map((at) => f32(pairs.flatMap((pair) => pair[at]!)));
      const found = await rowDivergences(base!, x!, pairs[0]![0].length);
      for (const [row, [own, other]] of pairs.entries())
        expect(Math.abs(found[row]! - divergence(other, own))).toBeLessThan(1e-12);
    }),
  );
});

test("what two rows hardly differ by is not lost", async () => {
  const base = Array.from({ length: 1000 }, (_, i) => Math.fround(0.02 * Math.cos(i)));
  const x = base.map((value, i) => Math.fround(value + 1e-6 * Math.sin(3 * i)));
  // Of small differences the divergence is half their variance under the distribution.
  const q = softmax(base);
  const added = x.map((value, i) => value - base[i]!);
  const mean = added.reduce((sum, own, i) => sum + q[i]! * own, 0);
  const variance = added.reduce((sum, own, i) => sum + q[i]! * (own - mean) ** 2, 0);
  const [found] = await rowDivergences(f32(base), f32(x), 1000);
  expect(found! / (variance / 2)).toBeCloseTo(1, 5);
});

test("equal rows, and such as differ by a constant, do not diverge", async () => {
  const base = [1, 2, 3, 4];
  expect([...(await rowDivergences(f32(base), f32(base), 2))]).toEqual([0, 0]);
  const [first] = await rowDivergences(f32(base), f32(base.map((value) => value + 8)), 4);
  expect(first).toBeLessThan(1e-30);
});
