/** Products by oneDNN's primitive for them, as version 3 has it: many at once, and each result finished before it is written. */
import koffi from "koffi";
import type { Pointer } from "../library.ts";
import { type FunctionFinder, inThread } from "./c-functions.ts";
import {
  ALLOCATE,
  ARGUMENTS,
  check,
  CPU,
  DnnlObjects,
  type DnnlFunctions,
  findDnnlFunctions,
  IMPLEMENTATION,
  IN_ORDER,
  made,
  OPERAND,
  SCRATCHPAD_LAYOUT,
  STEP_BASES,
  STEPS,
  USER,
} from "./onednn-functions.ts";
import { productKey, layoutsOf } from "./onednn-layouts.ts";
import type { FactorFormat, SpreadProducts } from "./product-library.ts";

/** Primitives that are kept for products of the same sizes, as all layers and candidates have them. */
const KEPT = 256;

/** Of heads that lie beside each other, two of which share a right factor. */
const PROBE = {
  outside: [2, 2, 2],
  rows: 32,
  columns: 32,
  inner: 32,
  left: { address: 0n, strides: [4096, 64, 32, 128, 1] },
  right: { address: 0n, strides: [2048, 32, 0, 1, 64] },
  result: 0n,
};

/** Undefined where the library has no such primitive, another version's, or on this processor only the one that others are tested by. */
export function bindMatmul(find: FunctionFinder, formats: readonly FactorFormat[]): DnnlMatmul | undefined {
  const dnnl = findDnnlFunctions(find);
  if (!dnnl) return undefined;
  const matmul = new DnnlMatmul(dnnl, formats);
  return formats.some((format) => matmul.isReference({ ...PROBE, format })) ? undefined : matmul;
}

/** A primitive for products of these sizes, and the layouts of left, right, result, scratchpad and the operands of steps. */
interface PreparedProduct {
  readonly primitive: Pointer;
  readonly plan: Pointer;
  readonly layouts: readonly Pointer[];
  readonly objects: DnnlObjects;
  /** Calls that are going on. */
  calls: number;
}

export class DnnlMatmul {
  readonly #dnnl: DnnlFunctions;
  readonly #execute: (...values: readonly unknown[]) => Promise<Pointer>;
  readonly #engine: Pointer;
  /** Those that were used last stand last. */
  readonly #prepared = new Map<string, PreparedProduct>();
  readonly #stepBase: number | undefined;

  constructor(dnnl: DnnlFunctions, formats: readonly FactorFormat[]) {
    this.#dnnl = dnnl;
    this.#execute = inThread(dnnl.execute);
    this.#engine = made((out) => dnnl.newEngine(out, CPU, 0));
    this.#stepBase = formats.includes("bf16") ? STEP_BASES.find((base) => this.#isStepBase(base)) : undefined;
  }

  /** Whether these would be computed by code that is a thousand times slower than the processor. */
  isReference(products: SpreadProducts): boolean {
    const { plan } = this.#prepare(products);
    return String(made((out) => this.#dnnl.describe(plan, IMPLEMENTATION, 0, out))).startsWith("ref");
  }

  /** Whether steps give the results that they should; only then products may have any. */
  get finishes(): boolean {
    return this.#stepBase !== undefined;
  }

  async multiply(products: SpreadProducts): Promise<void> {
    const { prepared, objects, values } = this.#callOf(products, this.#stepBase ?? 0);
    prepared.calls += 1;
    try {
      check(await this.#execute(...values));
    } finally {
      objects.free();
      prepared.calls -= 1;
    }
  }

  /** What executes these products, and the objects to free behind. */
  #callOf(
    products: SpreadProducts,
    stepBase: number,
  ): { readonly prepared: PreparedProduct; readonly objects: DnnlObjects; readonly values: readonly unknown[] } {
    const dnnl = this.#dnnl;
    const prepared = this.#prepare(products);
    const objects = new DnnlObjects();
    const operands = (products.steps ?? []).flatMap((step, i) =>
      "address" in step ? [{ argument: (stepBase * (i + 1)) | OPERAND, address: step.address }] : [],
    );
    const places = [products.left.address, products.right.address, products.result, ALLOCATE];
    const all = [...ARGUMENTS.map((argument, i) => ({ argument, address: places[i] })), ...operands];
    try {
      // dnnl_exec_arg_t: an int, which is padded, and a pointer.
      const pairs = all.flatMap(({ argument, address }, i) => {
        const layout = prepared.layouts[i];
        const memory = objects.make((out) => dnnl.newMemory(out, layout, this.#engine, address), dnnl.freeMemory);
        return [BigInt(argument), memory as bigint];
      });
      const stream = objects.make((out) => dnnl.newStream(out, this.#engine, IN_ORDER), dnnl.freeStream);
      return { prepared, objects, values: [prepared.primitive, stream, all.length, BigInt64Array.from(pairs)] };
    } catch (error) {
      objects.free();
      throw error;
    }
  }

  /** silu(32 - 31) * 2 is 1.46, where the library reads operands by this number. */
  #isStepBase(stepBase: number): boolean {
    const [size, ones] = [32, new Uint16Array(32 * 32).fill(0x3f80)];
    const [added, factors, result] = [-31, 2, 0].map((value) => new Float32Array(size * size).fill(value));
    const factor = { address: koffi.address(ones), strides: [size, 1] };
    const probe = {
      outside: [],
      rows: size,
      columns: size,
      inner: size,
      format: "bf16",
      left: factor,
      right: factor,
    } as const;
    const steps = [
      { op: "add", address: koffi.address(added), rows: 1 },
      { op: "silu" },
      { op: "mul", address: koffi.address(factors), rows: size },
    ] as const;
    const { objects, values } = this.#callOf({ ...probe, result: koffi.address(result), steps }, stepBase);
    try {
      return this.#dnnl.execute(...values) === 0 && (result ?? []).every((value) => Math.abs(value - 1.4621) < 1e-3);
    } finally {
      objects.free();
    }
  }

  #prepare(products: SpreadProducts): PreparedProduct {
    const key = productKey(products);
    const prepared = this.#prepared.get(key) ?? this.#make(products);
    this.#prepared.delete(key);
    for (const [oldest, { calls, objects }] of this.#prepared) {
      if (this.#prepared.size < KEPT) break;
      if (calls > 0) continue;
      this.#prepared.delete(oldest);
      objects.free();
    }
    this.#prepared.set(key, prepared);
    return prepared;
  }

  #make(products: SpreadProducts): PreparedProduct {
    const dnnl = this.#dnnl;
    const objects = new DnnlObjects();
    try {
      const layouts = layoutsOf(products).map(({ sizes, strides, type }) =>
        objects.make((out) => dnnl.newLayout(out, sizes.length, sizes, type, strides), dnnl.freeLayout),
      );
      const [left, right, result, ...operands] = layouts;
      const attributes = this.#attributes(products, operands, objects);
      const factors = [left, right, null, result];
      const plan = objects.make((out) => dnnl.newPlan(out, this.#engine, ...factors, attributes), dnnl.freePlan);
      const primitive = objects.make((out) => dnnl.newPrimitive(out, plan), dnnl.freePrimitive);
      const scratchpad: Pointer = dnnl.scratchpadOf(plan, SCRATCHPAD_LAYOUT, 0);
      return { primitive, plan, layouts: [left, right, result, scratchpad, ...operands], objects, calls: 0 };
    } catch (error) {
      objects.free();
      throw error;
    }
  }

  #attributes({ steps = [] }: SpreadProducts, operands: readonly Pointer[], objects: DnnlObjects): Pointer {
    const dnnl = this.#dnnl;
    const attributes = objects.make((out) => dnnl.newAttributes(out), dnnl.freeAttributes);
    // Else primitives that one thread makes share a scratchpad, and these are executed on several.
    check(dnnl.setScratchpad(attributes, USER));
    if (steps.length === 0) return attributes;
    const list = objects.make((out) => dnnl.newSteps(out), dnnl.freeSteps);
    const left = [...operands];
    for (const step of steps) {
      const [kind, alpha] = STEPS[step.op];
      check("address" in step ? dnnl.applyOperand(list, kind, left.shift()) : dnnl.applyFunction(list, kind, alpha, 0));
    }
    check(dnnl.setSteps(attributes, list));
    return attributes;
  }
}
