import { expect, test } from "vitest";
import { openDevice } from "../../src/device/open-device.ts";
import { measureDevice, teraText } from "../../src/device/speed.ts";

test("divides the work of all lanes by the time of the best try", async () => {
  const { device } = await openDevice("tfjs");
  try {
    // Each look at this clock is a tenth of a second after the one before.
    let now = 0;
    const { flops, memoryBytes, uploadBytes } = await measureDevice(device, () => (now += 100));
    const aSecond = 10 * device.concurrency;
    expect(flops).toEqual({ f32: 2 * 256 ** 3 * aSecond, bf16: 2 * 256 ** 3 * aSecond });
    expect(memoryBytes).toBe(3 * 4 * 2 ** 20 * aSecond);
    expect(uploadBytes).toBe(10 * 2 ** 22);
    expect(device.memory.bytes).toBe(0);
  } finally {
    await device[Symbol.asyncDispose]();
  }
});

test.each([
  [4.5e10, "0.0450"],
  [5.12e13, "51.2"],
  [7.9e14, "790"],
  [9.996e14, "1000"],
  [1.45e16, "14500"],
])("%d operations a second are %s TFLOP/s", (perSecond, text) => {
  expect(teraText(perSecond)).toBe(text);
});
