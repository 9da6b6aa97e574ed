import type { Evaluator } from "../evaluate/evaluator.ts";
import type { TaskRow } from "../tasks/rows.ts";

/** Says how many rows, which were prepared, lose their beginning; undefined where all fit. */
export function cutRows(of: string, rows: readonly TaskRow[], evaluator: Evaluator): string | undefined {
  const count = evaluator.cutAmong(rows);
  if (count === 0) return undefined;
  const [are, lose, their] = count === 1 ? ["is", "loses", "its"] : ["are", "lose", "their"];
  return `${count} of ${rows.length} ${of} ${are} longer than the window of ${evaluator.maxLength} tokens and ${lose} ${their} beginning, as in lm_eval`;
}
