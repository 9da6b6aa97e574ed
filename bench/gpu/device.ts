/** What a device does by itself: copies, uploads, products. */
import { deviceCopy } from "../device-copy.ts";
import { type GpuBench, ofPeak, repeated, shareOf } from "./task.ts";
import { type Product, uploadProducts } from "../products.ts";

/** Of each product in a run, which then takes much longer than to begin it. */
const PRODUCT_ROUNDS = 16;

export async function copy({ device, told, ceilings }: GpuBench): Promise<void> {
  const { bytes, once, free } = await deviceCopy(device);
  const took = await repeated(once, 5);
  free();
  const rate = bytes / took.wall;
  const notes = shareOf(rate, ceilings.copy, "PyTorch's copy");
  await told.tell({ name: "copying on the device, read and written", value: rate / 1e9, unit: "GB/s", took, notes });
}

export async function upload({ device, told, ceilings }: GpuBench): Promise<void> {
  const bytes = new Uint8Array(2 ** 28).fill(1);
  const took = await repeated(async () => device.free(await device.upload(bytes, "bf16", [2 ** 15, 2 ** 12])), 3);
  const rate = bytes.length / took.wall;
  const notes = shareOf(rate, ceilings.upload, "PyTorch's");
  await told.tell({ name: "upload, one tensor after the other", value: rate / 1e9, unit: "GB/s", took, notes });
}

export async function products({ device, told, work, ceilings }: GpuBench): Promise<void> {
  const side = device.kind === "gpu" ? 8192 : 512;
  const kinds: Readonly<Record<string, readonly Product[]>> = {
    "own products of a layer": work.products,
    [`own product of ${side}`]: [{ rows: side, in: side, out: side }],
  };
  for (const [name, own] of Object.entries(kinds)) {
    const flop = PRODUCT_ROUNDS * own.reduce((sum, { rows, in: width, out }) => sum + 2 * rows * width * out, 0);
    const uploaded = await uploadProducts(device, own, { dtype: "bf16", flop });
    const took = await repeated(uploaded.multiply, 3);
    uploaded.free();
    const rate = uploaded.flop / took.wall;
    await told.tell({ name, value: rate / 1e12, unit: "TFLOP/s", took, notes: ofPeak(rate, ceilings).slice(1) });
  }
}
