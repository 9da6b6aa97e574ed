/** Products by oneDNN's primitive for them, as version 3 has it: many at once, and each result finished before it is written. */
import koffi from "koffi";
import type { NativeWork } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { attributesOf, type DnnlFunctions, type DnnlObjects, OPERAND, STEP_BASES } from "./onednn-functions.ts";
import { layoutsOf, newLayouts, productKey } from "./onednn-layouts.ts";
import type { DnnlArgument, DnnlPlan, DnnlPrimitives, DnnlWork } from "./onednn-primitives.ts";
import type { FactorFormat, SpreadProducts } from "./product-library.ts";

/** DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS and DNNL_ARG_DST. */
const [LEFT, RIGHT, RESULT] = [1, 33, 17];

/** Of heads that lie beside each other, two of which share a right factor. */
const HEADS = {
  outside: [2, 2, 2],
  rows: 32,
  columns: 32,
  inner: 32,
  left: { address: 0n, strides: [4096, 64, 32, 128, 1] },
  right: { address: 0n, strides: [2048, 32, 0, 1, 64] },
  result: 0n,
};

export interface DnnlMatmul {
  readonly multiply: (products: SpreadProducts) => NativeWork;
  /** Whether steps give the results that they should; only then products may have any. */
  readonly finishes: boolean;
}

/** Undefined where the library has on this processor only the primitive that others are tested by. */
export function bindMatmul(primitives: DnnlPrimitives, formats: readonly FactorFormat[]): DnnlMatmul | undefined {
  if (formats.some((format) => primitives.isReference(workOf({ ...HEADS, format }, 0)))) return undefined;
  const stepBase = formats.includes("bf16") ? STEP_BASES.find((base) => isStepBase(primitives, base)) : undefined;
  return {
    multiply: (products) => primitives.of(workOf(products, stepBase ?? 0)),
    finishes: stepBase !== undefined,
  };
}

/** `stepBase` is the library's number of the operand of a first step. */
function workOf(products: SpreadProducts, stepBase: number): DnnlWork {
  const operands = (products.steps ?? []).flatMap((step, i): DnnlArgument[] =>
    "address" in step ? [{ argument: (stepBase * (i + 1)) | OPERAND, address: step.address }] : [],
  );
  return {
    key: productKey(products),
    plan: (dnnl, engine, objects) => planOf(products, { dnnl, engine, objects }),
    memory: [
      { argument: LEFT, address: products.left.address },
      { argument: RIGHT, address: products.right.address },
      { argument: RESULT, address: products.result },
      ...operands,
    ],
  };
}

function planOf(
  products: SpreadProducts,
  { dnnl, engine, objects }: { readonly dnnl: DnnlFunctions; readonly engine: Pointer; readonly objects: DnnlObjects },
): DnnlPlan {
  const layouts = newLayouts(dnnl, objects, layoutsOf(products));
  const [left, right, result, ...operands] = layouts;
  const attributes = attributesOf(dnnl, objects, products.steps ?? [], operands);
  const factors = [left, right, null, result];
  const plan = objects.make((out) => dnnl.newProducts(out, engine, ...factors, attributes), dnnl.freePlan);
  return { plan, layouts };
}

/** silu(32 - 31) * 2 is 1.46, where the library reads operands by this number. */
function isStepBase(primitives: DnnlPrimitives, stepBase: number): boolean {
  const [size, ones] = [32, new Uint16Array(32 * 32).fill(0x3f80)];
  const [added, factors, result] = [-31, 2, 0].map((value) => new Float32Array(size * size).fill(value));
  const factor = { address: koffi.address(ones), strides: [size, 1] };
  const steps = [
    { op: "add", address: koffi.address(added), rows: 1 },
    { op: "silu" },
    { op: "mul", address: koffi.address(factors), rows: size },
  ] as const;
  const sizes = { outside: [], rows: size, columns: size, inner: size, format: "bf16" } as const;
  const products = { ...sizes, left: factor, right: factor, result: koffi.address(result), steps };
  const isDone = primitives.try(workOf(products, stepBase));
  return isDone && (result ?? []).every((value) => Math.abs(value - 1.4621) < 1e-3);
}
