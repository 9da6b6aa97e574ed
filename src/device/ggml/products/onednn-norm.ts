/** Root mean square norms by oneDNN's primitive for layers, which leaves out means since version 3.8. */
import koffi from "koffi";
import type { FunctionFinder, NativeWork, PlacedFunction } from "../c-functions.ts";
import { attributesOf } from "./onednn-functions.ts";
import { elementAfterElement, newLayouts } from "./onednn-layouts.ts";
import type { DnnlPrimitives, DnnlWork } from "./onednn-primitives.ts";
import type { RowNorm } from "./product-library.ts";

const NEW_NORM =
  "int dnnl_layer_normalization_forward_primitive_desc_create(_Out_ void **plan, void *engine, int use, void *x, void *result, void *statistics, float epsilon, uint flags, void *attributes)";

/** DNNL_ARG_SRC, DNNL_ARG_SCALE and DNNL_ARG_DST. */
const [X, WEIGHT, RESULT] = [1, 51, 17];

/** dnnl_forward_inference; dnnl_use_scale and dnnl_rms_norm. */
const [INFERENCE, SCALED, WITHOUT_MEAN] = [96, 2, 32];

/** Undefined where the library has none that is compiled for this processor. */
export function bindNorm(
  primitives: DnnlPrimitives,
  find: FunctionFinder,
): ((norm: RowNorm) => NativeWork) | undefined {
  const newNorm = find(NEW_NORM);
  if (!newNorm || !leavesOutMeans(primitives, newNorm)) return undefined;
  return (norm) => primitives.of(workOf(newNorm, norm));
}

function workOf(
  newNorm: PlacedFunction,
  { rows, columns, epsilon, x, weight, result, resultFormat }: RowNorm,
): DnnlWork {
  const scaled = weight === undefined ? [] : [{ argument: WEIGHT, address: weight }];
  return {
    key: ["norm", rows, columns, epsilon, scaled.length, resultFormat].join(";"),
    plan: (dnnl, engine, objects) => {
      const sizes = [
        elementAfterElement([rows, columns], "f32"),
        elementAfterElement([rows, columns], resultFormat),
        ...scaled.map(() => elementAfterElement([columns], "f32")),
      ];
      const layouts = newLayouts(dnnl, objects, sizes);
      const attributes = attributesOf(dnnl, objects, [], []);
      const flags = WITHOUT_MEAN | (scaled.length > 0 ? SCALED : 0);
      const operands = [engine, INFERENCE, layouts[0], layouts[1], null, epsilon, flags, attributes];
      return { plan: objects.make((out) => newNorm(out, ...operands), dnnl.freePlan), layouts };
    },
    memory: [{ argument: X, address: x }, { argument: RESULT, address: result }, ...scaled],
  };
}

/** Versions that do not know of it refuse, or would subtract the means all the same. */
function leavesOutMeans(primitives: DnnlPrimitives, newNorm: PlacedFunction): boolean {
  const [rows, columns] = [2, 32];
  const [x, weight, result] = [rows * columns, columns, rows * columns].map((length, i) =>
    Float32Array.from({ length }, (_, column) => (i === 0 ? column + 1 : 3)),
  ) as [Float32Array, Float32Array, Float32Array];
  const [xAt, weightAt, resultAt] = [x, weight, result].map((values) => koffi.address(values));
  const sizes = { rows, columns, epsilon: 1, resultFormat: "f32" } as const;
  const work = workOf(newNorm, { ...sizes, x: xAt ?? 0n, weight: weightAt, result: resultAt ?? 0n });
  try {
    if (primitives.isReference(work) || !primitives.try(work)) return false;
  } catch {
    return false;
  }
  return result.every((found, i) => {
    const row = x.subarray(i - (i % columns), i - (i % columns) + columns);
    const mean = row.reduce((sum, value) => sum + value ** 2, 0) / columns;
    return Math.abs(found - (3 * (x[i] ?? 0)) / Math.sqrt(mean + 1)) < 1e-4;
  });
}
