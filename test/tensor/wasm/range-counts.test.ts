import { expect, test } from "vitest";
import { fromFloat32 } from "../../../src/tensor/half.ts";
import type { StoredValues } from "../../../src/tensor/stored-values.ts";
import { RangeCounts } from "../../../src/tensor/wasm/range-counts.ts";

/** The number of such bits. */
function numberOf(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

const values = (numbers: readonly number[]): StoredValues => ({
  dtype: "f32",
  bytes: fromFloat32(Float32Array.from(numbers), "f32"),
});

// The counts of 2097144 magnitudes end with a page of memory, 2^16 bytes.
test.each([1, 5, 2_097_144, 2_097_145])("counts which of %i magnitudes is there how often, and no others", (width) => {
  const low = 0x3f00_0000;
  const [first, last, below, above] = [low, low + width - 1, low - 1, low + width].map(numberOf) as [
    number,
    number,
    number,
    number,
  ];
  const numbers = [
    first,
    -last,
    below,
    above,
    -above,
    below,
    last,
    last,
    0,
    Number.MAX_VALUE,
    Number.NaN,
    -first,
    3e38,
  ];
  using range = new RangeCounts("f32", "f32", low, width);
  for (let turn = 0; turn < 2; turn += 1) {
    const zeros = values(numbers.map(() => 0));
    range.add(values(numbers), zeros, 0, numbers.length);
  }
  expect(range.below).toBe(6);
  expect([5, 6, 9, 10, 15, 16].map((place) => range.at(place))).toEqual([
    undefined,
    low,
    low,
    low + width - 1,
    low + width - 1,
    undefined,
  ]);
  const there = new Map<number, number>();
  for (const [i, count] of range.counts.entries()) if (count > 0) there.set(i, count);
  expect(there).toEqual(
    width === 1
      ? new Map([[0, 10]])
      : new Map([
          [0, 4],
          [width - 1, 6],
        ]),
  );
});
