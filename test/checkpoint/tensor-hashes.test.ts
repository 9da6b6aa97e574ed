import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { exportedByNode, inPieces, sha256OfTensor } from "../../src/checkpoint/tensor-hashes.ts";

const large = new Uint8Array(2 ** 25 + 37).map((_, i) => i ^ (i >> 8));
const cases = [0, 1, 100, 2 ** 18 - 1, 2 ** 18, large.length].map((length) => large.subarray(3, 3 + length));

test.each(cases)("are SHA-256 of %#", async (bytes) => {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  expect([await sha256OfTensor(bytes), await inPieces(bytes)]).toEqual([sha256, sha256]);
});

describe.skipIf(process.platform !== "linux")("in threads", () => {
  test("other work of this thread goes on meanwhile", async () => {
    const sha256 = await exportedByNode();
    expect(sha256).not.toBe(inPieces);
    const idle = performance.eventLoopUtilization();
    await Promise.all([sha256(large), sha256(large)]);
    // Whoever hashes on this thread keeps it busy all the time.
    expect(performance.eventLoopUtilization(idle).utilization).toBeLessThan(0.5);
  });

  test("several at once have the bytes of each", async () => {
    const views = Array.from({ length: 12 }, (_, i) => large.subarray(i * 2 ** 20, i * 2 ** 20 + 2 ** 19 + i));
    const expected = views.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    expect(await Promise.all(views.map((bytes) => sha256OfTensor(bytes)))).toEqual(expected);
  });
});
