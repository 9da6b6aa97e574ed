/** How fast a device multiplies, adds and takes what is brought to it, measured in a second or two. */
import { bytesPerElement, type Dtype, type Shape } from "../tensor/dtype.ts";
import { fromFloat32 } from "../tensor/half.ts";
import type { Device, DeviceTensor } from "./device.ts";
import { add, gatherRows, input, type Expression } from "./expression.ts";
import { linear } from "./layers.ts";

export interface DeviceSpeed {
  /** Operations a second of products with weights of these formats, by the way that scoring takes: all lanes at once. */
  readonly flops: Readonly<Record<"f32" | "bf16", number>>;
  /** Bytes a second that a sum of two large f32 tensors reads and writes, all lanes at once. */
  readonly memoryBytes: number;
  /** Bytes a second that are brought to the device, one tensor at a time. */
  readonly uploadBytes: number;
}

/** A trial is made larger until it takes as long as this, or is as large as it may be. */
const LONG_MS = 20;
/** The best of so many: other work of the machine only ever makes one slower. */
const TRIES = 3;
const SIDES = [256, 512, 1024, 2048, 4096, 8192] as const;
/** Elements of a summand. */
const SUMMANDS = [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26] as const;
const UPLOADS = [2 ** 22, 2 ** 24, 2 ** 26, 2 ** 28] as const;

/** `now` in milliseconds. */
export async function measureDevice(device: Device, now: () => number = () => performance.now()): Promise<DeviceSpeed> {
  const flops = async (dtype: Dtype): Promise<number> => bestRate(SIDES, now, (side) => multiply(device, side, dtype));
  return {
    flops: { f32: await flops("f32"), bf16: await flops("bf16") },
    memoryBytes: await bestRate(SUMMANDS, now, (elements) => sum(device, elements)),
    uploadBytes: await bestRate(UPLOADS, now, (bytes) => upload(device, bytes)),
  };
}

/** Operations a second for people, in TFLOP/s: three digits, and all that stand before the point. */
export function teraText(perSecond: number): string {
  const value = perSecond / 1e12;
  // From 999.5 on, three digits need an exponent.
  return value < 999.5 ? value.toPrecision(3) : value.toFixed(0);
}

/** What can be done again and again, how much work it is, and what is held for it. */
interface Trial {
  readonly work: number;
  readonly once: () => Promise<void>;
  readonly free: () => void;
}

/** Work a second of the first size that takes long enough. */
async function bestRate(
  sizes: readonly number[],
  now: () => number,
  prepare: (size: number) => Promise<Trial>,
): Promise<number> {
  let best = 0;
  for (const size of sizes) {
    const { work, once, free } = await prepare(size);
    const timed = async (): Promise<number> => {
      const began = now();
      await once();
      return Math.max(now() - began, 1e-3);
    };
    try {
      // The first has memory to ask for and code to load.
      const isShort = (await timed()) < LONG_MS && size !== sizes.at(-1);
      const times: number[] = [];
      while (times.length < (isShort ? 1 : TRIES)) times.push(await timed());
      best = Math.max(best, (1000 * work) / Math.min(...times));
      if (!isShort) break;
    } finally {
      free();
    }
  }
  return best;
}

async function multiply(device: Device, side: number, dtype: Dtype): Promise<Trial> {
  const held = await put(device, [
    ["f32", [side, side]],
    [dtype, [side, side]],
  ]);
  const row = await device.upload(new Uint8Array(4), "i32", [1]);
  const [x, weight] = held.map(input) as [Expression, Expression];
  // Only a row leaves the device's work space: a copy of all would count as multiplying.
  const product = gatherRows(linear(x, weight), input(row));
  return onAllLanes(device, product, 2 * side ** 3, [...held, row]);
}

async function sum(device: Device, elements: number): Promise<Trial> {
  const shape = [elements / 1024, 1024];
  const held = await put(device, [
    ["f32", shape],
    ["f32", shape],
  ]);
  const [x, y] = held.map(input) as [Expression, Expression];
  return onAllLanes(device, add(x, y), 3 * 4 * elements, held);
}

async function upload(device: Device, bytes: number): Promise<Trial> {
  const values = new Uint8Array(bytes);
  const once = async (): Promise<void> => device.free(await device.upload(values, "bf16", [bytes / 2048, 1024]));
  return { work: bytes, once, free: () => {} };
}

function onAllLanes(device: Device, output: Expression, work: number, held: readonly DeviceTensor[]): Trial {
  const run = async (): Promise<void> => device.free(...(await device.run([output])));
  return {
    work: work * device.concurrency,
    once: async () => void (await Promise.all(Array.from({ length: device.concurrency }, run))),
    free: () => device.free(...held),
  };
}

async function put(device: Device, wanted: readonly (readonly [Dtype, Shape])[]): Promise<DeviceTensor[]> {
  const tensors: DeviceTensor[] = [];
  for (const [dtype, shape] of wanted) {
    const elements = shape.reduce((product, side) => product * side, 1);
    const bytes = new Uint8Array(elements * bytesPerElement[dtype]);
    const values = fromFloat32(
      Float32Array.from({ length: 1024 }, (_, i) => (i % 7) / 7 - 0.4),
      dtype,
    );
    for (let start = 0; start < bytes.length; start += values.length) bytes.set(values, start);
    tensors.push(await device.upload(bytes, dtype, shape));
  }
  return tensors;
}
