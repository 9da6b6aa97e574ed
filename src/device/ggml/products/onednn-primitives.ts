import type { FunctionFinder, NativeWork } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import {
  ALLOCATE,
  check,
  CPU,
  DnnlObjects,
  type DnnlFunctions,
  findDnnlFunctions,
  IMPLEMENTATION,
  IN_ORDER,
  made,
  NOWHERE,
  refusalOf,
  SCRATCHPAD,
  SCRATCHPAD_LAYOUT,
} from "./onednn-functions.ts";

/** Primitives that are kept for work of the same sizes, as all layers and candidates have it. */
const KEPT = 256;

/** What is computed, and the layouts of what it reads and writes, by which memory is handed to it in this order. */
export interface DnnlPlan {
  readonly plan: Pointer;
  readonly layouts: readonly Pointer[];
}

/** A tensor, and what it is to the primitive. */
export interface DnnlArgument {
  readonly argument: number;
  readonly address: bigint;
}

/** Work that can be done any number of times, at once as well. */
export interface DnnlWork {
  readonly key: string;
  readonly plan: (dnnl: DnnlFunctions, engine: Pointer, objects: DnnlObjects) => DnnlPlan;
  readonly memory: readonly DnnlArgument[];
}

interface PreparedWork extends DnnlPlan {
  readonly primitive: Pointer;
  /** The layout of the memory that it needs meanwhile. */
  readonly scratchpad: Pointer;
  readonly scratchpadBytes: number;
  readonly objects: DnnlObjects;
  /** Calls that are to come, or going on. */
  calls: number;
}

/** What executes work, and the objects to free behind. */
interface DnnlCall {
  readonly prepared: PreparedWork;
  readonly objects: DnnlObjects;
  readonly values: readonly unknown[];
  /** Memory that has an address yet to get. */
  readonly scratchpad: Pointer;
}

/** Primitives of oneDNN's version 3, made once for each key. */
export class DnnlPrimitives {
  readonly #dnnl: DnnlFunctions;
  readonly #engine: Pointer;
  /** Those that were used last stand last. */
  readonly #prepared = new Map<string, PreparedWork>();

  private constructor(dnnl: DnnlFunctions) {
    this.#dnnl = dnnl;
    this.#engine = made((out) => dnnl.newEngine(out, CPU, 0));
  }

  /** Undefined where the library has none, or another version's. */
  static bind(find: FunctionFinder): DnnlPrimitives | undefined {
    const dnnl = findDnnlFunctions(find);
    return dnnl && new DnnlPrimitives(dnnl);
  }

  /** Whether this would be computed by code that is a thousand times slower than the processor. */
  isReference(work: DnnlWork): boolean {
    const { plan } = this.#prepare(work);
    return String(made((out) => this.#dnnl.describe(plan, IMPLEMENTATION, 0, out))).startsWith("ref");
  }

  /** The call that does it. */
  of(work: DnnlWork): NativeWork {
    const { setAddress, execute } = this.#dnnl;
    const { prepared, objects, values, scratchpad } = this.#callOf(work, NOWHERE);
    prepared.calls += 1;
    return {
      calls: [{ place: execute.place, values }],
      refusal: refusalOf,
      scratchpad: { bytes: prepared.scratchpadBytes, lend: (address) => check(setAddress(scratchpad, address)) },
      free: () => {
        objects.free();
        prepared.calls -= 1;
      },
    };
  }

  /** Whether the library does it at all, here and now. */
  try(work: DnnlWork): boolean {
    const { objects, values } = this.#callOf(work, ALLOCATE);
    try {
      return this.#dnnl.execute(...values) === 0;
    } finally {
      objects.free();
    }
  }

  #callOf(work: DnnlWork, scratchpadAt: bigint): DnnlCall {
    const dnnl = this.#dnnl;
    const prepared = this.#prepare(work);
    const objects = new DnnlObjects();
    const all = [...work.memory, { argument: SCRATCHPAD, address: scratchpadAt }];
    const layouts = [...prepared.layouts, prepared.scratchpad];
    try {
      // dnnl_exec_arg_t: an int, which is padded, and a pointer.
      const pairs = all.map(({ argument, address }, i) => {
        const memory = objects.make((out) => dnnl.newMemory(out, layouts[i], this.#engine, address), dnnl.freeMemory);
        return [BigInt(argument), memory as bigint] as const;
      });
      const scratchpad = pairs.at(-1)?.[1];
      const stream = objects.make((out) => dnnl.newStream(out, this.#engine, IN_ORDER), dnnl.freeStream);
      const values = [prepared.primitive, stream, all.length, BigInt64Array.from(pairs.flat())];
      return { prepared, objects, values, scratchpad };
    } catch (error) {
      objects.free();
      throw error;
    }
  }

  #prepare(work: DnnlWork): PreparedWork {
    const prepared = this.#prepared.get(work.key) ?? this.#make(work);
    this.#prepared.delete(work.key);
    for (const [oldest, { calls, objects }] of this.#prepared) {
      if (this.#prepared.size < KEPT) break;
      if (calls > 0) continue;
      this.#prepared.delete(oldest);
      objects.free();
    }
    this.#prepared.set(work.key, prepared);
    return prepared;
  }

  #make(work: DnnlWork): PreparedWork {
    const dnnl = this.#dnnl;
    const objects = new DnnlObjects();
    try {
      const { plan, layouts } = work.plan(dnnl, this.#engine, objects);
      const primitive = objects.make((out) => dnnl.newPrimitive(out, plan), dnnl.freePrimitive);
      const scratchpad = dnnl.scratchpadOf(plan, SCRATCHPAD_LAYOUT, 0);
      const scratchpadBytes = Number(dnnl.sizeOf(scratchpad));
      return { plan, layouts, primitive, scratchpad, scratchpadBytes, objects, calls: 0 };
    } catch (error) {
      objects.free();
      throw error;
    }
  }
}
