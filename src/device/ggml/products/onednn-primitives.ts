import type { FunctionFinder, NativeWork } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { DnnlCall } from "./onednn-call.ts";
import {
  ALLOCATE,
  CPU,
  DnnlObjects,
  type DnnlFunctions,
  findDnnlFunctions,
  IMPLEMENTATION,
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
  /** Calls that are nobody's at present. */
  readonly spare: DnnlCall[];
  /** Calls that are somebody's. */
  calls: number;
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
    const prepared = this.#prepare(work);
    const call = prepared.spare.pop() ?? this.#callOf(prepared, work, NOWHERE);
    prepared.calls += 1;
    call.point(work.memory.map(({ address }) => address));
    return {
      calls: [{ place: this.#dnnl.execute.place, values: call.values }],
      refusal: refusalOf,
      scratchpad: { bytes: prepared.scratchpadBytes, lend: (address) => call.lend(address) },
      free: () => {
        prepared.spare.push(call);
        prepared.calls -= 1;
      },
    };
  }

  /** Whether the library does it at all, here and now. */
  try(work: DnnlWork): boolean {
    const call = this.#callOf(this.#prepare(work), work, ALLOCATE);
    try {
      call.point(work.memory.map(({ address }) => address));
      return this.#dnnl.execute(...call.values) === 0;
    } finally {
      call.free();
    }
  }

  #callOf({ primitive, layouts, ...prepared }: PreparedWork, { memory }: DnnlWork, scratchpad: bigint): DnnlCall {
    const own = memory.map(({ argument }, i) => ({ argument, layout: layouts[i] }));
    const all = [...own, { argument: SCRATCHPAD, layout: prepared.scratchpad }];
    return new DnnlCall(this.#dnnl, this.#engine, { primitive, memory: all, scratchpad });
  }

  #prepare(work: DnnlWork): PreparedWork {
    const prepared = this.#prepared.get(work.key) ?? this.#make(work);
    this.#prepared.delete(work.key);
    for (const [oldest, { calls, objects, spare }] of this.#prepared) {
      if (this.#prepared.size < KEPT) break;
      if (calls > 0) continue;
      this.#prepared.delete(oldest);
      for (const call of spare) call.free();
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
      return { plan, layouts, primitive, scratchpad, scratchpadBytes, objects, spare: [], calls: 0 };
    } catch (error) {
      objects.free();
      throw error;
    }
  }
}
