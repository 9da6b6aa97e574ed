/** How fast this machine is at what a search does: products, memory, uploads, the disk. */
import { openDevice } from "../device/open-device.ts";
import { measureDevice, teraText } from "../device/speed.ts";
import { bytesText } from "../files/bytes-text.ts";
import { readSpeed } from "../files/read-speed.ts";
import { lookAt, type Finding } from "./finding.ts";

/** A few seconds of measuring; `folder` is one of models, or any other with a large file. */
export async function speedFindings(folder: string): Promise<Finding[]> {
  return [await lookAt("speed device", deviceSpeed), await lookAt("speed disk", () => diskSpeed(folder))];
}

async function deviceSpeed(): Promise<string> {
  const { device } = await openDevice("auto");
  try {
    const { flops, memoryBytes, uploadBytes } = await measureDevice(device);
    return `${teraText(flops.f32)} TFLOP/s of products in f32, ${teraText(flops.bf16)} in bf16; memory ${bytesText(memoryBytes)}/s, upload ${bytesText(uploadBytes)}/s`;
  } finally {
    await device[Symbol.asyncDispose]();
  }
}

async function diskSpeed(folder: string): Promise<string> {
  const speed = await readSpeed(folder);
  if (speed) return `${bytesText(speed.bytesPerSecond)}/s of ${speed.file}, as it is cached now`;
  throw new Error(`${folder} has no file of 1 MiB or more to read; give the folder of a model`);
}
