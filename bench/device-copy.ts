import type { Device, DeviceTensor } from "../src/device/device.ts";
import { input, scale } from "../src/device/expression.ts";

/** Copies on a device, of f32 that is scaled on its way. */
export interface DeviceCopy {
  /** Read and written by one call of `once`. */
  readonly bytes: number;
  readonly once: () => Promise<void>;
  readonly free: () => void;
}

/** A run reads several tensors and writes as many, which the next one reads; larger than any cache. */
export async function deviceCopy(device: Device): Promise<DeviceCopy> {
  const [height, count] = device.kind === "gpu" ? [2 ** 16, 8] : [2 ** 10, 4];
  const bytes = height * 2 ** 14;
  const first = await device.upload(new Uint8Array(bytes), "f32", [height, 2 ** 12]);
  let tensors: DeviceTensor[] = [first];
  const once = async (): Promise<void> => {
    const from = (i: number): DeviceTensor => tensors[i % tensors.length]!;
    const made = await device.run(Array.from({ length: count }, (_, i) => scale(input(from(i)), 0.5)));
    device.free(...tensors);
    tensors = made;
  };
  await once();
  return { bytes: 2 * count * bytes, once, free: () => device.free(...tensors) };
}
