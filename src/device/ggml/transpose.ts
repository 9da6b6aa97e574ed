/** Matrices with rows and columns exchanged: ggml sums products over the innermost dimension of both factors alone. */
import { elementCount } from "../../tensor/dtype.ts";
import type { DeviceTensor } from "../device.ts";
import type { Ggml, Pointer } from "./library.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** Columns that a CPU transposes together: all rows have theirs near enough to each other for its cache. */
const PANEL = 64;

/** A copy of a matrix, or of each of several, that is transposed; the elements of `matrix` lie one after another. */
export function transpose(
  matrix: Pointer,
  { dtype, shape }: DeviceTensor,
  { ggml, context, isCpu }: { readonly ggml: Ggml; readonly context: Pointer; readonly isCpu: boolean },
): Pointer {
  const exchanged = (x: Pointer): Pointer => ggml.permute(context, x, 1, 0, 2, 3);
  const [columns, rows, ...outside] = innermostFirst(shape);
  const count = elementCount(outside);
  if (!isCpu) {
    // CUDA's kernel for that takes three dimensions.
    const copy = ggml.cont(context, exchanged(ggml.reshape4d(context, matrix, columns, rows, count, 1)));
    return ggml.reshape4d(context, copy, rows, columns, ...outside);
  }
  const width = columns % PANEL === 0 ? PANEL : columns;
  const panels = columns / width;
  const divided = ggml.permute(context, ggml.reshape4d(context, matrix, width, panels, rows, count), 0, 2, 1, 3);
  const gathered = panels === 1 ? divided : ggml.cont(context, divided);
  // A copy calls a function for every element, and takes twice as long as joining with a tensor that has none.
  const nothing = ggml.newTensor(context, typeNumber[dtype], 4, [0, width, panels, count]);
  const joined = ggml.concat(context, exchanged(gathered), nothing, 0);
  return ggml.reshape4d(context, joined, rows, columns, ...outside);
}
