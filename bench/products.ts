import type { Device, DeviceTensor } from "../src/device/device.ts";
import { gatherRows, input } from "../src/device/expression.ts";
import { linear } from "../src/device/layers.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { bytesPerElement, type Dtype, elementCount, type Shape } from "../src/tensor/dtype.ts";

/** A matrix product: x [rows, in] times the transpose of a weight [out, in]. */
export interface Product {
  readonly rows: number;
  readonly in: number;
  readonly out: number;
}

/** Matrix products ready to run, as many at a time as the device takes. */
export interface Products {
  /** Of one call of `multiply`. */
  readonly flop: number;
  readonly multiply: () => Promise<void>;
  readonly free: () => void;
}

/** Uploads f32 operands and weights of the given dtype; `multiply` does all products again and again, for about `flop`. */
export async function uploadProducts(
  device: Device,
  products: readonly Product[],
  { dtype, flop }: { dtype: Dtype; flop: number },
): Promise<Products> {
  const tensors: DeviceTensor[] = [];
  const upload = async (shape: Shape, dtype: Dtype): Promise<DeviceTensor> => {
    const tensor = await device.upload(noiseOf(dtype, elementCount(shape)), dtype, shape);
    tensors.push(tensor);
    return tensor;
  };
  const firstRow = await device.upload(new Uint8Array(4), "i32", [1]);
  tensors.push(firstRow);
  const operands: { readonly x: DeviceTensor; readonly weight: DeviceTensor }[] = [];
  for (const { rows, in: width, out } of products) {
    operands.push({ x: await upload([rows, width], "f32"), weight: await upload([out, width], dtype) });
  }
  const once = products.reduce((sum, { rows, in: width, out }) => sum + 2 * rows * width * out, 0);
  const rounds = Math.max(1, Math.round(flop / once / device.concurrency));
  // Only a row of each product leaves the run: copies would count as multiplying.
  const run = async (): Promise<void> => {
    const outputs = Array.from({ length: rounds }, () =>
      operands.map(({ x, weight }) => gatherRows(linear(input(x), input(weight)), input(firstRow))),
    );
    device.free(...(await device.run(outputs.flat())));
  };
  return {
    flop: once * rounds * device.concurrency,
    multiply: async () => void (await Promise.all(Array.from({ length: device.concurrency }, run))),
    free: () => device.free(...tensors),
  };
}

/** The same noise over and over: a GPU is slower the more bits change, and of one number none do. */
function noiseOf(dtype: Dtype, elements: number): Uint8Array {
  const stream = RandomStream.of(1, "products");
  const noise = fromFloat32(
    Float32Array.from({ length: 2 ** 16 }, () => stream.normal()),
    dtype,
  );
  const bytes = new Uint8Array(elements * bytesPerElement[dtype]);
  for (let at = 0; at < bytes.length; at += noise.length) bytes.set(noise.subarray(0, bytes.length - at), at);
  return bytes;
}
