/** One start of a kernel: how many threads, and where its parameters lie. */
import koffi from "koffi";
import type { NativeCall } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import type { CudaDriver } from "./driver.ts";

/** Threads of a block. */
const THREADS = 256;

/** Blocks of a start; threads go on from there. */
const MOST_BLOCKS = 2 ** 31 - 1;

/** CU_STREAM_PER_THREAD: work is done in the order in which the thread asks for it. */
export const STREAM_OF_THREAD = 2n;

/** How the driver is told where parameters lie: CU_LAUNCH_PARAM_BUFFER_POINTER, ..._SIZE, and the end. */
const [POINTER, SIZE, END] = [1n, 2n, 0n];

/** What a kernel is told: addresses and counts, then numbers. */
export interface LaunchParameters {
  readonly addresses: readonly bigint[];
  /** The first element, and for how many threads there are some. */
  readonly first: number;
  readonly count: number;
  readonly numbers: readonly number[];
}

/** A call that starts a kernel, and the memory that it is told of. */
export interface Launch {
  readonly call: NativeCall;
  readonly memory: ArrayBuffer;
}

export function launchOf(
  { launch }: Pick<CudaDriver, "launch">,
  kernel: Pointer,
  { addresses, first, count, numbers }: LaunchParameters,
): Launch {
  const words = [...addresses, BigInt(first), BigInt(count)];
  const bytes = 8 * words.length + 4 * numbers.length;
  // Behind the parameters, at a whole word, stands what tells the driver of them.
  const extraAt = Math.ceil(bytes / 8);
  const memory = new ArrayBuffer(8 * (extraAt + 6));
  const [start, own] = [koffi.address(memory), new BigUint64Array(memory)];
  own.set(words);
  new Float32Array(memory, 8 * words.length, numbers.length).set(numbers);
  const sizeAt = extraAt + 5;
  own.set([POINTER, start, SIZE, start + BigInt(8 * sizeAt), END, BigInt(bytes)], extraAt);
  const blocks = Math.min(MOST_BLOCKS, Math.ceil(count / THREADS));
  const values = [kernel, blocks, 1, 1, THREADS, 1, 1, 0, STREAM_OF_THREAD, null, start + BigInt(8 * extraAt)];
  return { call: { place: launch.place, values }, memory };
}
