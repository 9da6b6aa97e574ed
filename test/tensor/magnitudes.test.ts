import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Dtype } from "../../src/tensor/dtype.ts";
import type { StoredValues } from "../../src/tensor/stored-values.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { oneMagnitude } from "../../src/tensor/one-magnitude.ts";
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

/** A tensor and one that differs from it a little, as a fine-tune does: of bf16 many differences are equal. */
function tuned(dtype: Dtype, count: number): readonly [StoredValues, StoredValues] {
  const stream = RandomStream.of(3, "tuned");
  const from = Float32Array.from({ length: count }, () => 0.02 * stream.normal());
  const to = from.map((value) => value + 0.002 * stream.normal());
  return [
    { dtype, bytes: fromFloat32(from, dtype) },
    { dtype, bytes: fromFloat32(to, dtype) },
  ];
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

test.each(["f32", "bf16", "f16"] as const)("few magnitudes are those of sorted differences: %s", async (dtype) => {
  const count = 2 ** 18 + 13;
  const [base, x] = tuned(dtype, count);
  const expected = sorted(base, x);
  for (const places of [
    [0],
    [1],
    [count >> 6],
    [count >> 1],
    [Math.floor(0.9 * count)],
    [100_000, count - 30],
    [count - 1],
  ])
    expect(await magnitudesAt(base, x, places)).toEqual(Float32Array.from(places, (place) => expected[place]!));
  for (const share of [0.3, 0.5, 0.77, 0.95]) {
    const place = Math.floor(share * count);
    expect(await oneMagnitude(base, x, place)).toBe(expected[place]);
  }
});

test("NaN among what is sampled is no bound", async () => {
  const [base, x] = tuned("f32", 2 ** 18);
  const bytes = x.bytes.slice().fill(0xff, x.bytes.length / 4);
  expect(await oneMagnitude(base, { dtype: "f32", bytes }, 2 ** 17)).toBeUndefined();
  expect(await magnitudesAt(base, { dtype: "f32", bytes }, [2 ** 17])).toEqual(Float32Array.of(Number.NaN));
});

test("equal tensors, whose differences are all zeros, and a sample that tells something wrong", async () => {
  const count = 2 ** 18 + 3;
  const [base] = tuned("f32", count);
  expect(await magnitudesAt(base, base, [count >> 1])).toEqual(Float32Array.of(0));
  // Elements that are sampled are the first of each run: those between are other ones.
  const values = new Float32Array(base.bytes.slice().buffer);
  for (let run = 0; run < 256; run += 1) {
    const first = Math.floor((run * (count - 64)) / 255);
    for (let i = first; i < first + 64; i += 1) values[i]! += 5 + i / count;
  }
  const x: StoredValues = { dtype: "f32", bytes: new Uint8Array(values.buffer) };
  expect(await oneMagnitude(base, x, count >> 1)).toBeUndefined();
  expect(await magnitudesAt(base, x, [count >> 1])).toEqual(Float32Array.of(0));
});
