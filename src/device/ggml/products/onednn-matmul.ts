/** Many products at once by oneDNN's primitive for them, as version 3 has it. */
import { elementCount } from "../../../tensor/dtype.ts";
import type { CFunction, Pointer } from "../library.ts";
import { type FunctionFinder, inThread } from "./c-functions.ts";
import type { FactorFormat, SpreadProducts } from "./product-library.ts";

/** Each returns a status, 0 for success, but `scratchpadOf`. */
const FUNCTIONS = {
  newEngine: "int dnnl_engine_create(_Out_ void **engine, int kind, size_t index)",
  newStream: "int dnnl_stream_create(_Out_ void **stream, void *engine, uint flags)",
  newAttributes: "int dnnl_primitive_attr_create(_Out_ void **attributes)",
  setScratchpad: "int dnnl_primitive_attr_set_scratchpad_mode(void *attributes, int mode)",
  newLayout:
    "int dnnl_memory_desc_create_with_strides(_Out_ void **layout, int dimensions, const int64_t *sizes, int type, const int64_t *strides)",
  newPlan:
    "int dnnl_matmul_primitive_desc_create(_Out_ void **plan, void *engine, void *left, void *right, void *bias, void *result, void *attributes)",
  describe: "int dnnl_primitive_desc_query(void *plan, int what, int index, _Out_ const char **name)",
  scratchpadOf: "void *dnnl_primitive_desc_query_md(void *plan, int what, int index)",
  newPrimitive: "int dnnl_primitive_create(_Out_ void **primitive, void *plan)",
  newMemory: "int dnnl_memory_create(_Out_ void **memory, void *layout, void *engine, void *data)",
  execute: "int dnnl_primitive_execute(void *primitive, void *stream, int count, void *arguments)",
  freeStream: "int dnnl_stream_destroy(void *stream)",
  freeLayout: "int dnnl_memory_desc_destroy(void *layout)",
  freePlan: "int dnnl_primitive_desc_destroy(void *plan)",
  freePrimitive: "int dnnl_primitive_destroy(void *primitive)",
  freeMemory: "int dnnl_memory_destroy(void *memory)",
} as const;

type Functions = Readonly<Record<keyof typeof FUNCTIONS, CFunction>>;

/** dnnl_cpu, dnnl_stream_default_flags and dnnl_scratchpad_mode_user. */
const [CPU, IN_ORDER, USER] = [1, 1, 1];

/** dnnl_query_impl_info_str and dnnl_query_scratchpad_md. */
const [IMPLEMENTATION, SCRATCHPAD_LAYOUT] = [8, 136];

/** dnnl_data_type_t. */
const TYPES: Readonly<Record<FactorFormat, number>> = { f32: 3, bf16: 2 };

/** DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS, DNNL_ARG_DST and DNNL_ARG_SCRATCHPAD. */
const ARGUMENTS = [1n, 33n, 17n, 80n];

/** DNNL_MEMORY_ALLOCATE: memory that the library allocates, and frees with its handle. */
const ALLOCATE = 2n ** 64n - 1n;

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
export function bindMatmul(
  find: FunctionFinder,
  formats: readonly FactorFormat[],
): ((products: SpreadProducts) => Promise<void>) | undefined {
  const found = Object.entries(FUNCTIONS).map(([name, signature]) => [name, find(signature)] as const);
  if (found.some(([, bound]) => !bound)) return undefined;
  const matmul = new Matmul(Object.fromEntries(found) as Functions);
  if (formats.some((format) => matmul.isReference({ ...PROBE, format }))) return undefined;
  return (products) => matmul.multiply(products);
}

class Matmul {
  readonly #dnnl: Functions;
  readonly #execute: (...values: readonly unknown[]) => Promise<Pointer>;
  readonly #engine: Pointer;
  readonly #attributes: Pointer;

  constructor(dnnl: Functions) {
    this.#dnnl = dnnl;
    this.#execute = inThread(dnnl.execute);
    this.#engine = made((out) => dnnl.newEngine(out, CPU, 0));
    this.#attributes = made((out) => dnnl.newAttributes(out));
    // Else primitives that one thread makes share a scratchpad, and these are executed on several.
    check(dnnl.setScratchpad(this.#attributes, USER));
  }

  /** Whether these would be computed by code that is a thousand times slower than the processor. */
  isReference(products: SpreadProducts): boolean {
    const objects = new Objects();
    try {
      const { plan } = this.#plan(products, objects);
      const name = made((out) => this.#dnnl.describe(plan, IMPLEMENTATION, 0, out));
      return String(name).startsWith("ref");
    } finally {
      objects.free();
    }
  }

  /** All is made anew each time, which takes microseconds: the library keeps the code of its last thousand primitives. */
  async multiply(products: SpreadProducts): Promise<void> {
    const dnnl = this.#dnnl;
    const objects = new Objects();
    try {
      const { layouts, plan } = this.#plan(products, objects);
      const primitive = objects.make((out) => dnnl.newPrimitive(out, plan), dnnl.freePrimitive);
      const places = [products.left.address, products.right.address, products.result, ALLOCATE];
      const memories = [...layouts, dnnl.scratchpadOf(plan, SCRATCHPAD_LAYOUT, 0)].map((layout, i) =>
        objects.make((out) => dnnl.newMemory(out, layout, this.#engine, places[i]), dnnl.freeMemory),
      );
      const stream = objects.make((out) => dnnl.newStream(out, this.#engine, IN_ORDER), dnnl.freeStream);
      // dnnl_exec_arg_t: an int, which is padded, and a pointer.
      const pairs = BigInt64Array.from(memories.flatMap((memory, i) => [ARGUMENTS[i] ?? 0n, memory as bigint]));
      check(await this.#execute(primitive, stream, memories.length, pairs));
    } finally {
      objects.free();
    }
  }

  #plan(products: SpreadProducts, objects: Objects): { readonly layouts: readonly Pointer[]; readonly plan: Pointer } {
    const { newLayout, freeLayout, newPlan, freePlan } = this.#dnnl;
    const layouts = layoutsOf(products).map(({ sizes, strides, type }) =>
      objects.make((out) => newLayout(out, sizes.length, sizes, type, strides), freeLayout),
    );
    const [left, right, result] = layouts;
    const operands = [left, right, null, result, this.#attributes];
    return { layouts, plan: objects.make((out) => newPlan(out, this.#engine, ...operands), freePlan) };
  }
}

/** Objects of the library, which are freed in the end, the last one first. */
class Objects {
  readonly #frees: (() => void)[] = [];

  make(into: (out: [Pointer]) => unknown, free: CFunction): Pointer {
    const object = made(into);
    this.#frees.push(() => free(object));
    return object;
  }

  free(): void {
    for (const free of this.#frees.toReversed()) free();
  }
}

interface MatrixLayout {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly type: number;
}

function layoutsOf({ outside, rows, columns, inner, format, left, right }: SpreadProducts): MatrixLayout[] {
  // A matrix that several of the other factor are multiplied with has size 1 there, and any stride but 0.
  const factor = (strides: readonly number[], matrix: readonly number[]): MatrixLayout => ({
    sizes: [...outside.map((size, i) => (strides[i] === 0 ? 1 : size)), ...matrix],
    strides: strides.map((stride) => stride || 1),
    type: TYPES[format],
  });
  const all = [...outside, rows, columns];
  return [
    factor(left.strides, [rows, inner]),
    factor(right.strides, [inner, columns]),
    { sizes: all, strides: all.map((_, i) => elementCount(all.slice(i + 1))), type: TYPES.f32 },
  ];
}

/** What a function writes into its argument. */
function made(into: (out: [Pointer]) => unknown): Pointer {
  const out: [Pointer] = [null];
  check(into(out));
  return out[0];
}

function check(status: unknown): void {
  if (status !== 0) throw new Error(`oneDNN: products failed with status ${String(status)}`);
}
