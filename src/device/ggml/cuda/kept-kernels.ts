import { bytesPerElement, elementCount } from "../../../tensor/dtype.ts";
import { type DeviceTensor, storedDtype } from "../../device.ts";
import type { Expression } from "../../expression.ts";
import { isSameStructure, type Structure } from "../../structure.ts";
import type { NativeCall, NativeWork } from "../c-functions.ts";
import type { GraphStructure, KeptComputation, StoredTensors } from "../kept-computation.ts";
import type { LaneThread } from "../lane-thread.ts";
import type { TensorStore } from "../tensor-store.ts";
import type { ChainKernel, KernelNumber, KernelSource } from "./chain-kernels.ts";
import type { CompiledKernels, CompiledTexts } from "./compiled.ts";
import { ConstantsInOne } from "./constants-in-one.ts";
import { cudaError } from "./driver.ts";
import { type Launch, launchOf, STREAM_OF_THREAD } from "./launch.ts";
import { ptxOf, widthOf } from "./ptx.ts";

/** Where something stands among the tensors, constants or scales of a computation. */
type Place = { readonly of: "tensors" | "constants" | "scales"; readonly at: number };

/** A kernel that is compiled, and what it reads of a computation. */
interface BoundKernel {
  readonly kernels: CompiledKernels;
  readonly width: number;
  readonly elements: number;
  readonly sources: readonly Place[];
  readonly numbers: readonly Place[];
  readonly ends: readonly number[];
}

/** What kernels are made with. */
export interface KernelContext {
  readonly store: TensorStore;
  readonly texts: CompiledTexts;
  /** Of the lane that computes. */
  readonly thread: Pick<LaneThread, "do">;
}

/** Kernels for all computations of one structure that consist of elementwise operations alone. */
export class KeptKernels implements KeptComputation {
  /** Of parameters, in the greater part. */
  readonly bytes = 2 ** 12;
  readonly #kind: Pick<GraphStructure, "code">;
  readonly #outputs: readonly DeviceTensor[];
  readonly #kernels: readonly BoundKernel[];
  readonly #context: KernelContext;
  #calls: readonly NativeCall[] = [];
  #memory: readonly ArrayBuffer[] = [];

  private constructor(
    outputs: readonly Expression[],
    { code }: GraphStructure,
    kernels: readonly BoundKernel[],
    context: KernelContext,
  ) {
    this.#kind = { code };
    this.#outputs = outputs.map(({ dtype, shape }) => ({ dtype, shape }));
    this.#kernels = kernels;
    this.#context = context;
  }

  /** Compiles what no computation before had. */
  static async make(
    kernels: readonly ChainKernel[],
    outputs: readonly Expression[],
    computation: GraphStructure,
    context: KernelContext,
  ): Promise<KeptKernels> {
    const bound: BoundKernel[] = [];
    for (const kernel of kernels) {
      bound.push({
        kernels: await context.texts.get(ptxOf(kernel), context.thread),
        width: widthOf(kernel),
        elements: elementCount(kernel.shape),
        sources: kernel.sources.map((source) => placeOf(source, computation)),
        numbers: kernel.numbers.map((number) => placeOf(number, computation)),
        ends: kernel.places,
      });
    }
    return new KeptKernels(outputs, computation, bound, context);
  }

  /** Each operation has the same bits alone and among others. */
  has(computation: GraphStructure): boolean {
    return isSameStructure(this.#kind, computation);
  }

  bind(computation: Structure): StoredTensors {
    const { store, texts } = this.#context;
    const stored: DeviceTensor[] = [];
    const add = ({ dtype, shape }: DeviceTensor): bigint => {
      const tensor = { dtype, shape };
      const { start } = store.add(tensor, elementCount(shape) * bytesPerElement[storedDtype(tensor)]);
      stored.push(tensor);
      return start;
    };
    try {
      const ends = this.#outputs.map(add);
      const constants = new ConstantsInOne(computation.constants.filter((_, i) => this.#reads(i)));
      const constantsAt = constants.values.length > 0 ? add(constants) : 0n;
      const addressOf = ({ of, at }: Place): bigint =>
        of === "tensors"
          ? store.placeOf(known(computation.tensors[at])).start
          : constantsAt + constants.offsetOf(known(computation.constants[at]));
      const launches = this.#kernels.flatMap((kernel) => {
        const addresses = [...kernel.sources.map(addressOf), ...kernel.ends.map((place) => known(ends[place]))];
        const numbers = kernel.numbers.map(({ of, at }) => numberAt(computation, of, at));
        return launchesOf(texts.cuda.driver, kernel, { addresses, numbers });
      });
      const copies = constants.values.length > 0 ? [constants.copyTo(constantsAt, texts.cuda.driver)] : [];
      this.#calls = [...copies, ...launches].map(({ call }) => call);
      this.#memory = [...copies, ...launches].map(({ memory }) => memory);
      return { results: stored.slice(0, ends.length), constants: stored.slice(ends.length) };
    } catch (error) {
      for (const tensor of stored) store.free(tensor);
      throw error;
    }
  }

  works(): readonly NativeWork[] {
    const { driver, context } = this.#context.texts.cuda;
    const calls = [
      { place: driver.setContext.place, values: [context] },
      ...this.#calls,
      { place: driver.synchronize.place, values: [STREAM_OF_THREAD] },
    ];
    return [{ calls, refusal: (result) => cudaError(driver, result), memory: this.#memory }];
  }

  /** What is compiled stays for others. */
  free(): void {
    this.#memory = [];
  }

  /** Whether a kernel reads a constant from memory. */
  #reads(constant: number): boolean {
    return this.#kernels.some(({ sources }) => sources.some(({ of, at }) => of === "constants" && at === constant));
  }
}

/** Wide threads as far as their elements go, and a narrow one for each that is left. */
function launchesOf(
  driver: Parameters<typeof launchOf>[0],
  { kernels, width, elements }: BoundKernel,
  given: { readonly addresses: readonly bigint[]; readonly numbers: readonly number[] },
): Launch[] {
  const groups = width > 1 ? Math.floor(elements / width) : 0;
  const wide = launchOf(driver, kernels.wide, { ...given, first: 0, count: groups });
  const [first, left] = [groups * width, elements - groups * width];
  const narrow = launchOf(driver, kernels.narrow, { ...given, first, count: left });
  return [...(groups > 0 ? [wide] : []), ...(left > 0 ? [narrow] : [])];
}

function placeOf(node: KernelSource | KernelNumber, { tensors, constants, scales }: Structure): Place {
  if (node.op === "input") return { of: "tensors", at: tensors.indexOf(node.tensor) };
  if (node.op === "constant") return { of: "constants", at: constants.indexOf(node) };
  return { of: "scales", at: scales.indexOf(node) };
}

function numberAt({ constants, scales }: Structure, of: Place["of"], at: number): number {
  return known(of === "scales" ? scales[at]?.factor : constants[at]?.values[0]);
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("CUDA: a kernel lacks something that it reads or makes");
  return value;
}
