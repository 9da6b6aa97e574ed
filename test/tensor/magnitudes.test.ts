import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Dtype } from "../../src/tensor/dtype.ts";
import type { StoredValues } from "../../src/tensor/gram.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { magnitudesAt } from "../../src/tensor/magnitudes.ts";
import { RandomStream } from "../../src/tensor/random.ts";

function random(seed: number, dtype: Dtype, count: number, scale = 1): StoredValues {
  const stream = RandomStream.of(seed, "magnitudes");
  return {
    dtype,
    bytes: fromFloat32(
      Float32Array.from({ length: count }, () => scale * stream.normal()),
      dtype,
    ),
  };
}

/** All magnitudes of the differences, in order. */
function sorted(base: StoredValues, x: StoredValues): Float32Array {
  const from = toFloat32(base.bytes, base.dtype);
  return toFloat32(x.bytes, x.dtype)
    .map((value, i) => Math.abs(Math.fround(value - from[i]!)))
    .toSorted();
}

test.each([
  ["f32", 200_001],
  // Few values, each many times.
  ["bf16", 200_001],
  ["f16", 3000],
  ["f32", 1],
] as const)("magnitudes at all places are those of sorted differences: %s, %i", async (dtype, count) => {
  const [base, x] = [random(1, dtype, count), random(2, dtype, count, 1.1)];
  const expected = sorted(base, x);
  const places = [0, 1, 17, count >> 1, count - 2, count - 1].filter((place) => place >= 0 && place < count);
  const unique = [...new Set(places)].toSorted((a, b) => a - b);
  expect(await magnitudesAt(base, x, unique)).toEqual(Float32Array.from(unique, (place) => expected[place]!));
});

test("magnitudes at any places are those of sorted differences", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Dtype>("f32", "bf16", "f16"),
      fc.array(fc.tuple(fc.float({ noNaN: true, min: -8, max: 8 }), fc.float({ noNaN: true, min: -8, max: 8 })), {
        minLength: 1,
      }),
      async (dtype, pairs) => {
        const [base, x] = [0, 1].map((i) => ({
          dtype,
          bytes: fromFloat32(
            Float32Array.from(pairs, (pair) => pair[i]!),
            dtype,
          ),
        })) as [StoredValues, StoredValues];
        expect(await magnitudesAt(base, x, [...pairs.keys()])).toEqual(sorted(base, x));
      },
    ),
  );
});
