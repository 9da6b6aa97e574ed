import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { openForPrecision } from "../../src/device/exact-f32.ts";
import { cast, gatherRows, input, matmul, reshape, sliceRows } from "../../src/device/expression.ts";
import { linear } from "../../src/device/layers.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { describeEngine } from "./engine-contract.ts";
import { nativeTfjs } from "./installed-package.ts";
import { f32Bytes, f32Values, generator } from "./sample-values.ts";
import { tolerances } from "./tolerances.ts";

/** Handles of TensorFlow that are not deleted. */
function handles(): number {
  const { binding } = tf.backend() as unknown as { readonly binding: { getNumOfTensors(): number } };
  return binding.getNumOfTensors();
}

/** How many there are when all is freed but what was uploaded, and when the device is closed. */
async function useAndClose(open: () => Promise<Device>): Promise<[freed: number, closed: number]> {
  const device = await open();
  const half = (shape: readonly number[]): Promise<DeviceTensor> =>
    device.upload(new Uint8Array(2 * shape.reduce((a, b) => a * b)).fill(0x3c), "bf16", shape);
  const [table, weight] = [await half([5, 3]), await half([7, 3])];
  const rows = await device.upload(new Uint8Array(Int32Array.of(4, 0).buffer), "i32", [2]);
  const far = await device.upload(new Uint8Array(Int32Array.of(5).buffer), "i32", [1]);
  const taken = gatherRows(input(table), input(rows));
  const outputs = await device.run([
    linear(taken, sliceRows(input(weight), 1, 5)),
    cast(linear(taken, cast(input(weight), "f32")), "f16"),
    reshape(input(table), [15]),
    matmul(taken, reshape(input(weight), [7, 3]), { transposeY: true, precision: "f32" }),
  ]);
  expect(await device.read(outputs[2]!)).toHaveLength(30);
  if (device.kind === "cpu") await expect(device.run([gatherRows(input(table), input(far))])).rejects.toThrow();
  device.free(...outputs);
  const freed = handles();
  await device[Symbol.asyncDispose]();
  return [freed, handles()];
}

/** How many numbers are not the same; any NaN is as good as another. */
function differing(found: Float32Array, expected: Float32Array): number {
  expect(found).toHaveLength(expected.length);
  return found.reduce((count, value, i) => count + (Object.is(value, expected[i]) ? 0 : 1), 0);
}

if (nativeTfjs) {
  const installed = nativeTfjs;
  const open = async (): Promise<Device> => {
    const { device } = await openForPrecision("f32", async () => ({ device: await openTfjs(installed) }));
    return device;
  };
  describeEngine(`TensorFlow.js on ${installed}`, open, tolerances[installed].f32);

  describe("half floats on the device", () => {
    test.each(["bf16", "f16"] as const)("every %s widens and rounds to the bits of other engines", async (dtype) => {
      await using device = await open();
      const bytes = new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer);
      const held = await device.upload(bytes, dtype, [2 ** 16]);
      expect(device.bytesOf(held)).toBe(bytes.length);
      expect(await device.read(held)).toEqual(bytes);
      const [wide, back] = await device.run([cast(input(held), "f32"), cast(cast(input(held), "f32"), dtype)]);
      expect(differing(f32Values(await device.read(wide!)), toFloat32(bytes, dtype))).toBe(0);
      expect(differing(toFloat32(await device.read(back!), dtype), toFloat32(bytes, dtype))).toBe(0);
    });

    test.each(["bf16", "f16"] as const)("f32 of any bits rounds to %s as on the host", async (dtype) => {
      await using device = await open();
      const random = generator(21);
      const bits = Uint32Array.from({ length: 2 ** 18 + 1 }, () => (random() + 1) * 2 ** 31);
      bits.set([1, 0x7f7fffff, 0x7f800001, 0xffc00000, 0x477fefff, 0x477ff000, 0x33000000, 0x33000001, 0x00408000]);
      const values = new Float32Array(bits.buffer);
      const x = await device.upload(f32Bytes(values), "f32", [values.length]);
      const [found] = await device.run([cast(input(x), dtype)]);
      const expected = toFloat32(fromFloat32(values, dtype), dtype);
      expect(differing(toFloat32(await device.read(found!), dtype), expected)).toBe(0);
    });

    test("every handle is given back but those of constants, also where something is refused", async () => {
      const [, constants] = await useAndClose(open);
      expect(await useAndClose(open)).toEqual([constants + 4, constants]);
    });
  });
} else {
  describe("openTfjs without a native package", () => {
    test.each(["tfjs-node", "tfjs-node-gpu"] as const)("%s: names the command that installs it", async (name) => {
      await expect(openTfjs(name)).rejects.toMatchObject({
        name: "UserError",
        message: expect.stringContaining(`npm install --save-dev @tensorflow/${name}@4.22.0`),
      });
    });

    test("wasm still opens afterwards", async () => {
      await using device = await openTfjs();
      expect(device.name).toContain("wasm");
    });
  });
}
