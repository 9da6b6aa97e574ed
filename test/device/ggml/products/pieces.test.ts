import koffi from "koffi";
import { describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../../../src/device/device.ts";
import { input } from "../../../../src/device/expression.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { linear } from "../../../../src/device/layers.ts";
import { f32Bytes, generator, noise } from "../../sample-values.ts";
import { productLibraries } from "../product-libraries.ts";

const [inner, columns] = [256, 384];

async function matrix(device: Device, bytes: Uint8Array): Promise<DeviceTensor> {
  return device.upload(bytes, "f32", [bytes.length / 4 / inner, inner]);
}

async function productOf(device: Device, x: Uint8Array, weight: Uint8Array): Promise<Uint8Array> {
  const tensors = [await matrix(device, x), await matrix(device, weight)] as const;
  const [result] = await device.run([linear(input(tensors[0]), input(tensors[1]))]);
  const bytes = await device.read(result!);
  device.free(...tensors, result!);
  return bytes;
}

describe.each(productLibraries)("products by $name", ({ file, library }) => {
  const random = generator(21);
  const x = f32Bytes(noise(random, 300 * inner));
  const weight = f32Bytes(noise(random, columns * inner));

  test("are the library's where they are large, and ggml's where they are small", async () => {
    await using mixed = await openGgml({ backend: "cpu", products: file });
    await using alone = await openGgml({ backend: "cpu", products: "ggml" });
    for (const [rows, who] of [
      [300, "library"],
      [library.leastRows.f32! - 1, "ggml"],
    ] as const) {
      const left = x.subarray(0, 4 * rows * inner);
      const result = new Uint8Array(4 * rows * columns);
      await library.multiply({
        rows,
        columns,
        inner,
        format: "f32",
        result: koffi.address(result),
        left: { address: koffi.address(left), transposed: false },
        right: { address: koffi.address(weight), transposed: true },
      });
      const expected = who === "library" ? result : await productOf(alone, left, weight);
      expect(Buffer.compare(await productOf(mixed, left, weight), expected), `${rows} rows`).toBe(0);
    }
  });
});
