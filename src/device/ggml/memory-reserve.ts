import type { Ggml, Pointer } from "./library.ts";

/** Of what a GPU had free when it was opened, and no more than that: matrices of factors in another type, and kernels that are loaded. */
const [SHARE, MOST_BYTES] = [1 / 16, 2 ** 30];

/** Memory of a GPU that is left to its backend, which takes it while it computes, and ends the process where there is none. */
export class MemoryReserve {
  readonly #ggml: Ggml;
  readonly #device: Pointer;
  readonly #bytes: number;

  constructor(ggml: Ggml, device: Pointer) {
    this.#ggml = ggml;
    this.#device = device;
    this.#bytes = Math.min(MOST_BYTES, SHARE * (freeBytes(ggml, device) ?? 0));
  }

  /** Whether that much is free now, as far as the driver tells. */
  get isLeft(): boolean {
    const free = freeBytes(this.#ggml, this.#device);
    return free === undefined || free >= this.#bytes;
  }
}

/** What a device has free now; undefined where its driver cannot tell, which reports 0. */
export function freeBytes(ggml: Ggml, device: Pointer): number | undefined {
  const free = [0];
  ggml.deviceMemory(device, free, [0]);
  return Number(free[0]) || undefined;
}
