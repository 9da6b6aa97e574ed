/** Rows of bf16 brought to where they belong, by oneDNN's primitive that changes layouts. */
import type { FunctionFinder, NativeWork } from "../c-functions.ts";
import { attributesOf, TYPES } from "./onednn-functions.ts";
import { newLayouts } from "./onednn-layouts.ts";
import type { DnnlPrimitives, DnnlWork } from "./onednn-primitives.ts";
import type { RowCopy } from "./product-library.ts";

const NEW_COPY =
  "int dnnl_reorder_primitive_desc_create(_Out_ void **plan, void *from, void *fromEngine, void *to, void *toEngine, void *attributes)";

/** DNNL_ARG_FROM and DNNL_ARG_TO. */
const [FROM, TO] = [1, 17];

const PROBE = { rows: 32, columns: 32, pitch: 64, x: 0n, result: 0n } as const;

/** Undefined where the library has none that is compiled for this processor. */
export function bindCopy(
  primitives: DnnlPrimitives,
  find: FunctionFinder,
): ((copy: RowCopy) => NativeWork) | undefined {
  const newCopy = find(NEW_COPY);
  if (!newCopy) return undefined;
  const workOf = ({ rows, columns, pitch, x, result }: RowCopy): DnnlWork => ({
    key: ["copy", rows, columns, pitch].join(";"),
    plan: (dnnl, engine, objects) => {
      const sizes = [rows, columns];
      const layouts = newLayouts(dnnl, objects, [
        { sizes, strides: [columns, 1], type: TYPES.bf16 },
        { sizes, strides: [pitch, 1], type: TYPES.bf16 },
      ]);
      const [from, to] = layouts;
      const attributes = attributesOf(dnnl, objects, [], []);
      const plan = objects.make((out) => newCopy(out, from, engine, to, engine, attributes), dnnl.freePlan);
      return { plan, layouts };
    },
    memory: [
      { argument: FROM, address: x },
      { argument: TO, address: result },
    ],
  });
  return primitives.isReference(workOf(PROBE)) ? undefined : (copy) => primitives.of(workOf(copy));
}
