import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import type { TensorSpec } from "../../src/checkpoint/write-checkpoint.ts";

type Entry = readonly [TensorSpec, Uint8Array];

const a: Entry = [{ name: "a.weight", dtype: "f32", shape: [] }, Uint8Array.of(0, 0, 0, 0)];
const b: Entry = [{ name: "b.weight", dtype: "bf16", shape: [2, 1] }, Uint8Array.of(1, 2, 3, 4)];

async function digestOf(...entries: readonly Entry[]): Promise<string> {
  const digest = new WeightsDigest();
  for (const [spec, bytes] of entries) await digest.add(spec, bytes);
  return digest.digest();
}

describe("weights digest", () => {
  test("is the sha256 of the sorted lines, as hashlib computes it", async () => {
    expect(await digestOf(b, a)).toBe("49fdee90d152e3d7ba5d6cef8369438a80ebdf2249a9b1cbeeb05d04ebb88e74");
  });

  test("does not depend on the order of adds", async () => {
    const entries = Array.from({ length: 6 }, (_, i): Entry => [{ ...b[0], name: `t${i}` }, Uint8Array.of(i, 0, 0, 0)]);
    const shuffled = fc.shuffledSubarray(entries, { minLength: entries.length });
    const expected = await digestOf(...entries);
    await fc.assert(fc.asyncProperty(shuffled, async (order) => (await digestOf(...order)) === expected));
  });

  test("differs with a name, a dtype, a shape, a byte, and a tensor more", async () => {
    const others: Entry[] = [
      [{ ...b[0], name: "c" }, b[1]],
      [{ ...b[0], dtype: "f16" }, b[1]],
      [{ ...b[0], shape: [1, 2] }, b[1]],
      [b[0], Uint8Array.of(1, 2, 3, 5)],
    ];
    const digests = await Promise.all([
      digestOf(),
      digestOf(b),
      digestOf(a, b),
      ...others.map((other) => digestOf(other)),
    ]);
    expect(new Set(digests).size).toBe(7);
  });

  test("refuses a name twice", async () => {
    await expect(digestOf(a, a)).rejects.toThrow("tensor a.weight was added to the digest twice");
  });
});
