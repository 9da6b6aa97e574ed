import { expect, test } from "vitest";
import type { DeviceTensor } from "../../../src/device/device.ts";
import type { Ggml } from "../../../src/device/ggml/library.ts";
import { TensorStore } from "../../../src/device/ggml/tensor-store.ts";
import { OutOfMemory } from "../../../src/errors.ts";

const MEGABYTE = 2 ** 20;
const tensor = (): DeviceTensor => ({ dtype: "f32", shape: [1] });

/** A GPU with so much memory, of which nothing but the functions that a store calls is there. */
class SmallGpu {
  free: number;
  readonly #buffers = new Map<bigint, number>();
  readonly ggml = {
    deviceName: () => "CUDA0",
    deviceBufferType: () => 1n,
    deviceMemory: (_device: unknown, free: number[]) => void (free[0] = this.free),
    allocBuffer: (_type: unknown, bytes: number) => this.#take(bytes),
    freeBuffer: (buffer: bigint) => this.#give(buffer),
    bufferBase: (buffer: bigint) => buffer,
  } as unknown as Ggml;

  constructor(megabytes: number) {
    this.free = megabytes * MEGABYTE;
  }

  #take(bytes: number): bigint | null {
    if (bytes > this.free) return null;
    const buffer = BigInt(this.#buffers.size + 1);
    this.#buffers.set(buffer, bytes);
    this.free -= bytes;
    return buffer;
  }

  #give(buffer: bigint): void {
    this.free += this.#buffers.get(buffer) ?? 0;
    this.#buffers.set(buffer, 0);
  }
}

test("a sixteenth of what a GPU had free is left to its backend", () => {
  const gpu = new SmallGpu(160);
  const store = new TensorStore(gpu.ggml, null, "gpu");
  store.add(tensor(), 149 * MEGABYTE);
  expect(() => store.add(tensor(), 2 * MEGABYTE)).toThrow(OutOfMemory);
  expect([gpu.free, store.bytes]).toEqual([11 * MEGABYTE, 149 * MEGABYTE]);
  store.add(tensor(), MEGABYTE);
  expect(store.leavesReserve).toBe(true);
  // What the backend took itself.
  gpu.free -= MEGABYTE;
  expect(store.leavesReserve).toBe(false);
});

test("spare memory is given back before that is touched", () => {
  const gpu = new SmallGpu(160);
  const store = new TensorStore(gpu.ggml, null, "gpu");
  const spared = tensor();
  store.add(spared, 80 * MEGABYTE);
  store.add(tensor(), 60 * MEGABYTE);
  store.free(spared);
  expect(gpu.free).toBe(20 * MEGABYTE);
  store.add(tensor(), 79 * MEGABYTE);
  expect(gpu.free).toBe(21 * MEGABYTE);
});

test.each([
  { kind: "gpu", megabytes: 0 },
  { kind: "cpu", megabytes: 160 },
] as const)("nothing is kept back of the memory of a $kind that tells of $megabytes MB", ({ kind, megabytes }) => {
  const gpu = new SmallGpu(megabytes);
  const store = new TensorStore(gpu.ggml, null, kind);
  gpu.free = MEGABYTE * (megabytes === 0 ? 0 : 1);
  expect(store.leavesReserve).toBe(true);
});
