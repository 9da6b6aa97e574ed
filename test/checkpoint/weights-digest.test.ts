import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import type { TensorSpec } from "../../src/checkpoint/write-checkpoint.ts";

type Entry = readonly [TensorSpec, Uint8Array];

const a: Entry = [{ name: "a.weight", dtype: "f32", shape: [] }, Uint8Array.of(0, 0, 0, 0)];
const b: Entry = [{ name: "b.weight", dtype: "bf16", shape: [2, 1] }, Uint8Array.of(1, 2, 3, 4)];

function digestOf(...entries: readonly Entry[]): string {
  const digest = new WeightsDigest();
  for (const [spec, bytes] of entries) digest.add(spec, bytes);
  return digest.digest();
}

describe("weights digest", () => {
  test("is the sha256 of the sorted lines, as hashlib computes it", () => {
    expect(digestOf(b, a)).toBe("49fdee90d152e3d7ba5d6cef8369438a80ebdf2249a9b1cbeeb05d04ebb88e74");
  });

  test("does not depend on the order of adds", () => {
    const entries = Array.from({ length: 6 }, (_, i): Entry => [{ ...b[0], name: `t${i}` }, Uint8Array.of(i, 0, 0, 0)]);
    const shuffled = fc.shuffledSubarray(entries, { minLength: entries.length });
    fc.assert(fc.property(shuffled, (order) => digestOf(...order) === digestOf(...entries)));
  });

  test("differs with a name, a dtype, a shape, a byte, and a tensor more", () => {
    const others: Entry[] = [
      [{ ...b[0], name: "c" }, b[1]],
      [{ ...b[0], dtype: "f16" }, b[1]],
      [{ ...b[0], shape: [1, 2] }, b[1]],
      [b[0], Uint8Array.of(1, 2, 3, 5)],
    ];
    const digests = [digestOf(), digestOf(b), digestOf(a, b), ...others.map((other) => digestOf(other))];
    expect(new Set(digests).size).toBe(7);
  });

  test("refuses a name twice", () => {
    expect(() => digestOf(a, a)).toThrow("tensor a.weight was added to the digest twice");
  });
});
