/** The functions and numbers of oneDNN's C interface that primitives need, as its version 3 has them. */
import type { FunctionFinder, PlacedFunction } from "../c-functions.ts";
import type { CFunction, Pointer } from "../library.ts";
import type { FactorFormat, ResultStep } from "./product-library.ts";

/** Each returns a status, 0 for success, but `scratchpadOf` and `sizeOf`. */
const FUNCTIONS = {
  newEngine: "int dnnl_engine_create(_Out_ void **engine, int kind, size_t index)",
  newStream: "int dnnl_stream_create(_Out_ void **stream, void *engine, uint flags)",
  newSteps: "int dnnl_post_ops_create(_Out_ void **steps)",
  applyFunction: "int dnnl_post_ops_append_eltwise(void *steps, int kind, float alpha, float beta)",
  applyOperand: "int dnnl_post_ops_append_binary(void *steps, int kind, void *layout)",
  newAttributes: "int dnnl_primitive_attr_create(_Out_ void **attributes)",
  setSteps: "int dnnl_primitive_attr_set_post_ops(void *attributes, void *steps)",
  setScratchpad: "int dnnl_primitive_attr_set_scratchpad_mode(void *attributes, int mode)",
  newLayout:
    "int dnnl_memory_desc_create_with_strides(_Out_ void **layout, int dimensions, const int64_t *sizes, int type, const int64_t *strides)",
  newProducts:
    "int dnnl_matmul_primitive_desc_create(_Out_ void **plan, void *engine, void *left, void *right, void *bias, void *result, void *attributes)",
  newBinary:
    "int dnnl_binary_primitive_desc_create(_Out_ void **plan, void *engine, int kind, void *x, void *y, void *result, void *attributes)",
  newSoftmax:
    "int dnnl_softmax_forward_primitive_desc_create(_Out_ void **plan, void *engine, int use, int kind, void *x, void *result, int axis, void *attributes)",
  describe: "int dnnl_primitive_desc_query(void *plan, int what, int index, _Out_ const char **name)",
  scratchpadOf: "void *dnnl_primitive_desc_query_md(void *plan, int what, int index)",
  newPrimitive: "int dnnl_primitive_create(_Out_ void **primitive, void *plan)",
  newMemory: "int dnnl_memory_create(_Out_ void **memory, void *layout, void *engine, void *data)",
  sizeOf: "size_t dnnl_memory_desc_get_size(void *layout)",
  setAddress: "int dnnl_memory_set_data_handle(void *memory, void *data)",
  execute: "int dnnl_primitive_execute(void *primitive, void *stream, int count, void *arguments)",
  freeStream: "int dnnl_stream_destroy(void *stream)",
  freeSteps: "int dnnl_post_ops_destroy(void *steps)",
  freeAttributes: "int dnnl_primitive_attr_destroy(void *attributes)",
  freeLayout: "int dnnl_memory_desc_destroy(void *layout)",
  freePlan: "int dnnl_primitive_desc_destroy(void *plan)",
  freePrimitive: "int dnnl_primitive_destroy(void *primitive)",
  freeMemory: "int dnnl_memory_destroy(void *memory)",
} as const;

export type DnnlFunctions = Readonly<Record<keyof typeof FUNCTIONS, PlacedFunction>>;

/** Undefined where the library lacks one. */
export function findDnnlFunctions(find: FunctionFinder): DnnlFunctions | undefined {
  const found = Object.entries(FUNCTIONS).map(([name, signature]) => [name, find(signature)] as const);
  return found.some(([, bound]) => !bound) ? undefined : (Object.fromEntries(found) as DnnlFunctions);
}

/** dnnl_cpu and dnnl_stream_default_flags. */
export const [CPU, IN_ORDER] = [1, 1];

/** dnnl_scratchpad_mode_user. */
const USER = 1;

/** dnnl_query_impl_info_str and dnnl_query_scratchpad_md. */
export const [IMPLEMENTATION, SCRATCHPAD_LAYOUT] = [8, 136];

/** dnnl_data_type_t. */
export const TYPES: Readonly<Record<FactorFormat, number>> = { f32: 3, bf16: 2 };

/** DNNL_ARG_SCRATCHPAD. */
export const SCRATCHPAD = 80;

/** DNNL_ARG_SRC_1, of a step's operand. */
export const OPERAND = 2;

/** DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE, which is another in older versions. */
export const STEP_BASES = [32768, 16384];

/** DNNL_MEMORY_NONE, until memory has an address, and DNNL_MEMORY_ALLOCATE: memory that the library allocates, and frees with its handle. */
export const [NOWHERE, ALLOCATE] = [0n, 2n ** 64n - 1n];

/** A step, or a factor. */
type AttributeStep = ResultStep | { readonly op: "scale"; readonly factor: number };

/** dnnl_alg_kind_t, and the alpha of those that have one of their own. */
export const STEPS: Readonly<Record<AttributeStep["op"], readonly [kind: number, alpha: number]>> = {
  relu: [0x20, 0],
  silu: [0x2c, 1],
  "gelu tanh": [0x2b, 0],
  "gelu erf": [0x31, 0],
  scale: [0x26, 1],
  add: [0x1fff0, 0],
  mul: [0x1fff1, 0],
};

/** What primitives do besides: steps, whose operands have these layouts. */
export function attributesOf(
  dnnl: DnnlFunctions,
  objects: DnnlObjects,
  steps: readonly AttributeStep[],
  operands: readonly Pointer[],
): Pointer {
  const attributes = objects.make((out) => dnnl.newAttributes(out), dnnl.freeAttributes);
  // Else primitives that one thread makes share a scratchpad, and these are executed on several.
  check(dnnl.setScratchpad(attributes, USER));
  if (steps.length === 0) return attributes;
  const list = objects.make((out) => dnnl.newSteps(out), dnnl.freeSteps);
  const left = [...operands];
  for (const step of steps) {
    const [kind, alpha] = STEPS[step.op];
    const own = "factor" in step ? step.factor : alpha;
    check("address" in step ? dnnl.applyOperand(list, kind, left.shift()) : dnnl.applyFunction(list, kind, own, 0));
  }
  check(dnnl.setSteps(attributes, list));
  return attributes;
}

/** Objects of the library, which are freed in the end, the last one first. */
export class DnnlObjects {
  readonly #frees: (() => void)[] = [];

  make(into: (out: [Pointer]) => unknown, free: CFunction): Pointer {
    const object = made(into);
    this.#frees.push(() => free(object));
    return object;
  }

  free(): void {
    for (const free of this.#frees.toReversed()) free();
    this.#frees.length = 0;
  }
}

/** What a function writes into its argument. */
export function made(into: (out: [Pointer]) => unknown): Pointer {
  const out: [Pointer] = [null];
  check(into(out));
  return out[0];
}

export function check(status: unknown): void {
  if (status !== 0) throw refusalOf(status);
}

export function refusalOf(status: unknown): Error {
  return new Error(`oneDNN failed with status ${String(status)}`);
}
