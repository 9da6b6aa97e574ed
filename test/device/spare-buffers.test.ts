import { expect, test } from "vitest";
import type { DeviceTensor } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { SpareBuffers } from "../../src/device/ggml/spare-buffers.ts";

const MEGABYTE = 2 ** 20;

test("are given in their own size, the last first, and freed in the order of their coming", () => {
  const freed: unknown[] = [];
  const spare = new SpareBuffers("cpu", (buffer) => void freed.push(buffer));
  spare.put({ buffer: "small", start: 0n, bytes: MEGABYTE - 1 });
  expect([freed, spare.bytes]).toEqual([["small"], 0]);
  for (const [i, megabytes] of [1, 2, 1, 3].entries())
    spare.put({ buffer: i, start: BigInt(i), bytes: megabytes * MEGABYTE });
  expect(spare.take(4 * MEGABYTE)).toBeUndefined();
  expect(spare.take(MEGABYTE)).toMatchObject({ buffer: 2 });
  spare.shrinkTo(4 * MEGABYTE);
  expect([freed, spare.bytes]).toEqual([["small", 0, 1], 3 * MEGABYTE]);
});

test("of any size are kept on a GPU, whose driver takes as long over a small one as over a large one", () => {
  const freed: unknown[] = [];
  const spare = new SpareBuffers("gpu", (buffer) => void freed.push(buffer));
  for (const bytes of [4, 0, 8, 1024]) spare.put({ buffer: bytes, start: 0n, bytes });
  expect([freed, spare.bytes]).toEqual([[0], 1036]);
  expect(spare.take(4)).toMatchObject({ buffer: 4 });
  spare.shrinkTo(0);
  expect([freed, spare.bytes]).toEqual([[0, 8, 1024], 0]);
});

test("have sizes on a GPU that suit a tensor which grows", () => {
  const [gpu, cpu] = (["gpu", "cpu"] as const).map((kind) => new SpareBuffers(kind, () => {}));
  const sizes = [0, 1, 256, 257, 4096, 4097, 5000, 2 ** 24 - 1, 2 ** 24 + 1];
  expect(sizes.map((bytes) => gpu!.sizeFor(bytes))).toEqual([0, 256, 256, 512, 4096, 4608, 5120, 2 ** 24, 2 ** 24 + 1]);
  expect(sizes.map((bytes) => cpu!.sizeFor(bytes))).toEqual(sizes);
});

test("bring the array that shows their memory, of which V8 would collect one for each tensor", async () => {
  await using device = await openGgml({ backend: "cpu", products: "ggml" });
  const tensor: DeviceTensor = { dtype: "f32", shape: [512, 1024] };
  const first = await device.receive!(tensor);
  const { buffer } = first.bytes;
  device.free(await first.arrive());
  const second = await device.receive!({ dtype: "bf16", shape: [1024, 1024] });
  expect(second.bytes).toHaveLength(2 * MEGABYTE);
  expect(second.bytes.buffer).toBe(buffer);
  second.giveUp();
});
