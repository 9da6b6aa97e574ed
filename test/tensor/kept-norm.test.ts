import { expect, test } from "vitest";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { keptGain } from "../../src/tensor/kept-norm.ts";
import type { StoredValues } from "../../src/tensor/stored-values.ts";

function f32(values: readonly number[]): StoredValues {
  return { dtype: "f32", bytes: fromFloat32(Float32Array.from(values), "f32") };
}

const base = f32([1, 1, 1, 1, 1]);
const expert = f32([1.5, -1, 1, 5, 0]);

test.each([
  [[0, Infinity], 1],
  [[1, Infinity], 7.5 / 7],
  [[0.5, 2], 7.5 / 3.5],
  [[4, 4], 7.5 / 4],
  [[5, Infinity], 1],
] as const)("of magnitudes in %j the norm is kept by %d", async (range, gain) => {
  expect(await keptGain(base, expert, range)).toBe(gain);
});

test("of many elements all count", async () => {
  const many = Array.from({ length: 200_000 }, (_, i) => (i % 4 === 0 ? 3 : -1));
  expect(await keptGain(f32(many.map(() => 0)), f32(many), [2, 3])).toBe(2);
});
