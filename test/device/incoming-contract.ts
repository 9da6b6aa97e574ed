import { expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { receive } from "../../src/device/incoming.ts";

/** Tensors that are written where they are to be. */
export function testIncoming(device: () => Device): void {
  test.each(["f32", "bf16", "i32"] as const)("%s bytes that are written where they are to be", async (dtype) => {
    const size = dtype === "bf16" ? 2 : 4;
    const bytes = Uint8Array.from({ length: 6 * size }, (_, i) => i % 64);
    const incoming = await receive(device(), { dtype, shape: [2, 3] });
    expect(incoming.bytes).toHaveLength(bytes.length);
    incoming.bytes.set(bytes);
    const tensor = await incoming.arrive();
    expect([tensor.dtype, tensor.shape]).toEqual([dtype, [2, 3]]);
    expect(await device().read(tensor)).toEqual(bytes);
    const before = device().memory.bytes;
    (await receive(device(), { dtype, shape: [64, 64] })).giveUp();
    device().free(tensor);
    expect(device().memory.bytes).toBeLessThan(before);
    const empty = await receive(device(), { dtype, shape: [0] });
    expect(empty.bytes).toHaveLength(0);
    device().free(await empty.arrive());
  });
}
