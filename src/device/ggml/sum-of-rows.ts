/**
 * Sums over the rows of a matrix on CUDA, where one thread goes through all rows for each number of the result: of fewer numbers than
 * a GPU has threads, nearly all of it would wait. So rows are added in groups, and then the groups.
 * @module
 */
import type { Pointer } from "./library.ts";
import type { LoweringContext } from "./lowering.ts";
import { typeNumber } from "./types-and-sizes.ts";

/** f32 [1, width] of `x` f32 [rows, width]. */
export function sumOfRows(
  x: Pointer,
  { rows, width }: { readonly rows: number; readonly width: number },
  { ggml, context }: Pick<LoweringContext, "ggml" | "context">,
): Pointer {
  const groups = groupsOf(rows);
  const summed = (of: Pointer, count: number): Pointer =>
    ggml.repeatBack(context, of, ggml.newTensor(context, typeNumber.f32, 4, [width, 1, count, 1]));
  const parts = summed(ggml.reshape4d(context, x, width, rows / groups, groups, 1), groups);
  return groups === 1 ? parts : summed(ggml.reshape4d(context, parts, width, groups, 1, 1), 1);
}

/** The number of equal groups that is nearest to that of rows in each, from below. */
function groupsOf(rows: number): number {
  let groups = Math.floor(Math.sqrt(rows));
  while (groups > 1 && rows % groups !== 0) groups -= 1;
  return Math.max(groups, 1);
}
