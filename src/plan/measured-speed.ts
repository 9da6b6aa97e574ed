import { createHash } from "node:crypto";
import type { Device } from "../device/device.ts";
import { type DeviceSpeed, measureDevice } from "../device/speed.ts";
import type { LoadingSpeed } from "../evaluate/unread-parents.ts";
import { readSpeed } from "../files/read-speed.ts";

/** How fast this machine is at what a run asks of it. */
export interface MeasuredSpeed extends DeviceSpeed, LoadingSpeed {
  /** Bytes a second of the base's largest file, as it is cached now; absent where it has none to speak of. */
  readonly diskBytes?: number;
}

const HASHED_BYTES = 2 ** 25;

/** Measures a device and the disk of a folder; what is read is hashed meanwhile, so that the slower of the two counts. */
export async function measureSpeed(device: Device, folder: string, now: () => number): Promise<MeasuredSpeed> {
  const disk = await readSpeed(folder, now);
  const hashed = hashBytes(now);
  const ofDevice = await measureDevice(device, now);
  return {
    ...ofDevice,
    ...(disk && { diskBytes: disk.bytesPerSecond }),
    readBytes: Math.min(disk?.bytesPerSecond ?? hashed, hashed),
  };
}

function hashBytes(now: () => number): number {
  const bytes = new Uint8Array(HASHED_BYTES);
  const began = now();
  createHash("sha256").update(bytes).digest();
  return (1000 * HASHED_BYTES) / Math.max(now() - began, 1e-3);
}
