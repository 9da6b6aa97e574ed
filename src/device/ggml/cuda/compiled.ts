/** Kernels that the driver has compiled from their texts, for as long as a device is open. */
import koffi from "koffi";
import type { NativeWork } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { type CudaContext, cudaError, within } from "./driver.ts";
import { KERNEL_NAMES } from "./ptx.ts";

/** What does calls one after the other, on a thread of its own. */
interface CallingThread {
  do(works: readonly NativeWork[]): Promise<void>;
}

/** What the driver starts, by what a thread of it takes; none where the text has none of that width. */
export type CompiledKernels = Readonly<Record<keyof typeof KERNEL_NAMES, Pointer>>;

/** CU_JIT_ERROR_LOG_BUFFER, and CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES. */
const LOG_OPTIONS = [5, 6];
const LOG_BYTES = 2 ** 13;

/** The kernels of a device by their texts, of which there are few: they have no numbers, and sizes where they must. */
export class CompiledTexts {
  readonly cuda: CudaContext;
  readonly #modules: Pointer[] = [];
  readonly #kernels = new Map<string, CompiledKernels>();

  constructor(cuda: CudaContext) {
    this.cuda = cuda;
  }

  /** Compiled by a thread that has no other work, unless they are there. */
  async get(text: string, thread: CallingThread): Promise<CompiledKernels> {
    const known = this.#kernels.get(text);
    if (known) return known;
    const module = await this.#load(text, thread);
    this.#modules.push(module);
    const names = Object.values(KERNEL_NAMES).filter((name) => text.includes(` ${name}(`));
    const found = new Map<string, Pointer>();
    for (const name of names) found.set(name, await this.#find(module, name, thread));
    const kernels = { wide: found.get(KERNEL_NAMES.wide), narrow: found.get(KERNEL_NAMES.narrow) };
    this.#kernels.set(text, kernels);
    return kernels;
  }

  /** None of them may run any more. */
  close(): void {
    const { driver, device } = this.cuda;
    within(this.cuda, () => {
      for (const module of this.#modules.splice(0)) driver.unloadModule(module);
    });
    this.#kernels.clear();
    driver.releaseContext(device);
  }

  async #load(text: string, thread: CallingThread): Promise<Pointer> {
    const { driver, context } = this.cuda;
    const { values, module, log, memory } = loadingOf(text);
    const calls = [
      { place: driver.setContext.place, values: [context] },
      { place: driver.loadModule.place, values },
    ];
    await thread.do([{ calls, refusal: (result) => cudaError(driver, result, said(log)), memory }]);
    return new BigUint64Array(module)[0];
  }

  /** A kernel of what was loaded. */
  async #find(module: Pointer, kernel: string, thread: CallingThread): Promise<Pointer> {
    const { driver } = this.cuda;
    const [found, name] = [new ArrayBuffer(8), zeroTerminated(kernel)];
    const find = { place: driver.functionOf.place, values: [koffi.address(found), module, koffi.address(name)] };
    await thread.do([{ calls: [find], refusal: (result) => cudaError(driver, result), memory: [found, name] }]);
    return new BigUint64Array(found)[0];
  }
}

/** What loads a module of a text: values of the call, and the memory that they are addresses of. */
interface Loading {
  readonly values: readonly unknown[];
  readonly module: ArrayBuffer;
  readonly log: ArrayBuffer;
  readonly memory: readonly ArrayBuffer[];
}

function loadingOf(text: string): Loading {
  const [module, log, image] = [new ArrayBuffer(8), new ArrayBuffer(LOG_BYTES), zeroTerminated(text)];
  const [options, optionValues] = [new ArrayBuffer(8), new ArrayBuffer(16)];
  new Uint32Array(options).set(LOG_OPTIONS);
  new BigUint64Array(optionValues).set([koffi.address(log), BigInt(LOG_BYTES)]);
  const [toModule, toImage, toOptions, toValues] = [module, image, options, optionValues].map((own) =>
    koffi.address(own),
  );
  const values = [toModule, toImage, LOG_OPTIONS.length, toOptions, toValues];
  return { values, module, log, memory: [module, log, image, options, optionValues] };
}

/** In memory that does not move. */
function zeroTerminated(text: string): ArrayBuffer {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const own = new ArrayBuffer(bytes.length);
  new Uint8Array(own).set(bytes);
  return own;
}

/** What the driver wrote about a text that it does not compile. */
function said(log: ArrayBuffer): string {
  const [text = ""] = new TextDecoder().decode(log).split("\0");
  return text === "" ? "" : `; it said: ${text.replaceAll(/\p{Cc}+/gu, " ").trim()}`;
}
