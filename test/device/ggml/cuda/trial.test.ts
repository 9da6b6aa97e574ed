import { describe, expect, test } from "vitest";
import { mergesLikeCpu } from "../../../../src/device/ggml/cuda/trial.ts";
import type { Device } from "../../../../src/device/device.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";

/** A device of which something else is read than what it holds. */
function reading(device: Device, change: (bytes: Uint8Array) => Uint8Array): Device {
  return {
    ...device,
    upload: (...given) => device.upload(...given),
    run: (...given) => device.run(...given),
    free: (...given) => device.free(...given),
    read: async (tensor) => change(await device.read(tensor)),
  };
}

describe("the trial of a device's merges", () => {
  test("is passed by what computes as a CPU does, and leaves nothing", async () => {
    await using device = await openGgml({ backend: "cpu", products: "ggml" });
    expect(await mergesLikeCpu(device)).toBe(true);
    expect(device.memory.bytes).toBe(0);
  });

  test("is failed by a last bit, by nothing at all, and by a device that computes none", async () => {
    await using device = await openGgml({ backend: "cpu", products: "ggml" });
    const another = reading(device, (bytes) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
    expect(await mergesLikeCpu(another)).toBe(false);
    expect(await mergesLikeCpu(reading(device, (bytes) => bytes.fill(0)))).toBe(false);
    const closed = await openGgml({ backend: "cpu", products: "ggml" });
    await closed[Symbol.asyncDispose]();
    expect(await mergesLikeCpu(closed)).toBe(false);
  });
});
