import koffi from "koffi";
import { afterAll, expect, test } from "vitest";
import { LaneThread } from "../../../../src/device/ggml/lane-thread.ts";
import type { Device } from "../../../../src/device/device.ts";
import { input, matmul } from "../../../../src/device/expression.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import type { FactorFormat, ProductLibrary } from "../../../../src/device/ggml/products/product-library.ts";
import { linear } from "../../../../src/device/layers.ts";
import { fromFloat32 } from "../../../../src/tensor/half.ts";
import { bf16Bytes, bf16Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";

const [inner, columns] = [256, 384];
const random = generator(21);
const x = Float32Array.from(noise(random, 300 * inner));
/** Values that both formats have. */
const weight = Float32Array.from(bf16Values(bf16Bytes(noise(random, columns * inner))));

/** On an engine: x of so many rows in f32, the weight in a format. */
async function onDevice(device: Device, rows: number, format: FactorFormat): Promise<Uint8Array> {
  const own = fromFloat32(x.subarray(0, rows * inner), "f32");
  const left = await device.upload(own, "f32", [rows, inner]);
  const right = await device.upload(fromFloat32(weight, format), format, [columns, inner]);
  const [result] = await device.run([linear(input(left), input(right))]);
  const bytes = await device.read(result!);
  device.free(left, right, result!);
  return bytes;
}

/** By a library itself: both factors in a format. */
async function byLibrary(library: ProductLibrary, rows: number, format: FactorFormat): Promise<Uint8Array> {
  const left = fromFloat32(x.subarray(0, rows * inner), format);
  const right = fromFloat32(weight, format);
  const result = new Uint8Array(4 * rows * columns);
  await thread.do([
    library.multiply({
      rows,
      columns,
      inner,
      format,
      left: { address: koffi.address(left), transposed: false },
      right: { address: koffi.address(right), transposed: true },
      result: koffi.address(result),
    }),
  ]);
  return result;
}

/** Where calls are made. */
const thread = new LaneThread();
afterAll(() => thread.end());

describeLibraries("products", ({ file, library }) => {
  test.each(["f32", "bf16"] as const)("are the library's own where they are large: weights in %s", async (format) => {
    await using device = await openGgml({ backend: "cpu", products: file });
    // Without bf16 the weight is widened.
    const common = library.leastRows[format] === undefined ? "f32" : format;
    const expected = await byLibrary(library, 300, common);
    expect(Buffer.compare(await onDevice(device, 300, format), expected)).toBe(0);
  });

  test("are the library's own where factors stand transposed", async () => {
    await using device = await openGgml({ backend: "cpu", products: file });
    const [left, right] = [fromFloat32(x.subarray(0, 300 * inner), "f32"), fromFloat32(weight, "f32")];
    const tensors = [
      await device.upload(left, "f32", [inner, 300]),
      await device.upload(right, "f32", [inner, columns]),
    ] as const;
    const [product] = await device.run([matmul(input(tensors[0]), input(tensors[1]), { transposeX: true })]);
    const found = await device.read(product!);
    const expected = new Uint8Array(4 * 300 * columns);
    await thread.do([
      library.multiply({
        rows: 300,
        columns,
        inner,
        format: "f32",
        left: { address: koffi.address(left), transposed: true },
        right: { address: koffi.address(right), transposed: false },
        result: koffi.address(expected),
      }),
    ]);
    expect(Buffer.compare(found, expected)).toBe(0);
  });

  test("are those of ggml alone where they have few rows", async () => {
    await using device = await openGgml({ backend: "cpu", products: file });
    await using alone = await openGgml({ backend: "cpu", products: "ggml" });
    const few = library.leastRows.f32! - 1;
    expect(Buffer.compare(await onDevice(device, few, "f32"), await onDevice(alone, few, "f32"))).toBe(0);
  });
});
