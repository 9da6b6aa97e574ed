import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { rowRanksOf } from "../../src/tensor/row-ranks.ts";

const f32 = (values: readonly number[]) => ({
  dtype: "f32" as const,
  bytes: fromFloat32(Float32Array.from(values), "f32"),
});

test("elements rank in their row by magnitude, equal ones by place", async () => {
  const base = f32([0, 0, 0, 0, 1, 1, 1, 1]);
  const ranks = await rowRanksOf(base, f32([3, -5, 0, 3, 1, 2, -2, 1.5]), 4);
  expect([...ranks]).toEqual([1 / 3, 1, 0, 2 / 3, 0, 2 / 3, 1, 1 / 3].map(Math.fround));
  expect([...(await rowRanksOf(f32([0, 0]), f32([1, 2]), 1))]).toEqual([0.5, 0.5]);
});

test("each row has all ranks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(),
      async (width, rows, seed) => {
        const values = Array.from({ length: width * rows }, (_, i) => ((i + 1) * (seed % 97) * 31) % 11);
        const ranks = await rowRanksOf(f32(values.map(() => 0)), f32(values), width);
        for (let row = 0; row < rows; row += 1) {
          const own = [...ranks.subarray(row * width, (row + 1) * width)].map((rank) => Math.round(rank * (width - 1)));
          expect(own.toSorted((a, b) => a - b)).toEqual([...Array(width).keys()]);
        }
      },
    ),
  );
});
