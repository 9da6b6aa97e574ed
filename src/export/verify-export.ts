import { UserError } from "../errors.ts";
import type { Evaluation } from "../evaluate/evaluator.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import type { Task } from "../experiment/load-tasks.ts";
import { BASE, openWorkspace, type Workspace } from "../experiment/workspace.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { TaskRow } from "../tasks/rows.ts";

/** Rows of each task that an export is scored on. */
const ROWS = 16;

/**
 * Reads an exported folder as any model folder is read, and scores it on some rows beside the recipe it was made by. The
 * rows see the same batches, so that the losses must be equal to the last bit.
 */
export async function verifyExport(
  { evaluator }: Workspace,
  { experiment, recipe, tasks }: { experiment: Experiment; recipe: Recipe; tasks: readonly Task[] },
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const rows = Object.fromEntries(
    tasks.map(({ name, guard }): [string, readonly TaskRow[]] => [name, guard.slice(0, ROWS)]),
  );
  const [expected] = await evaluator.evaluate([recipe], rows, { signal });
  await using written = await openWorkspace({ ...experiment, base: folder, experts: [] });
  const [found] = await written.evaluator.evaluate([{ method: "passthrough", model: BASE }], rows, { signal });
  if (losses(expected) === losses(found)) return;
  throw new UserError(
    `${folder}: the written model scores otherwise than the merge it was made of; check the disk and export again`,
  );
}

function losses(evaluation: Evaluation | undefined): string {
  return JSON.stringify(Object.values(evaluation?.scores ?? {}).map((scores) => scores.map(({ loss }) => loss)));
}
