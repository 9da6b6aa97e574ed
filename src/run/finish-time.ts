import type { Session } from "./session.ts";

/** Merges that compete for the winner beside the best baseline. */
const FINALISTS = 3;
/** Models on the guard rows beside the parents and the given recipes: average, best global weight, winner. */
const GUARDED_MERGES = 3;
/** Estimates are of a shared machine: what a phase is expected to take is stretched by this. */
const SAFETY = 1.5;
/** Of a slow disk, for reading every parent once, and for writing and reading back the winner. */
const EXPORT_BYTES_PER_MS = 200_000;
const EXPORT_FIXED_MS = 1000;
/** The intervals and tests of one model on one guard row; a slow core. */
const COMPARISON_MS = 0.5;

/** Expected wall-clock milliseconds of each phase after the search. */
export interface FinishTime {
  readonly finalistsMs: number;
  readonly guardMs: number;
  readonly exportMs: number;
  readonly totalMs: number;
}

/** Expected time of the phases after the search, from the measured time of one model on all search rows. */
export function finishTime({ experiment, tasks, workspace }: Session, evaluationMs: number): FinishTime {
  const count = (side: "search" | "guard"): number => tasks.reduce((sum, task) => sum + task[side].length, 0);
  const parents = [...workspace.checkpoints.values()];
  const bytes = parents.flatMap(({ tensors }) => [...tensors.values()]).reduce((sum, tensor) => sum + tensor.bytes, 0);
  const finalistsMs = SAFETY * FINALISTS * evaluationMs;
  const guarded = parents.length + Object.keys(experiment.recipes ?? {}).length + GUARDED_MERGES;
  const guardMs = SAFETY * guarded * count("guard") * (evaluationMs / count("search") + COMPARISON_MS);
  const exportMs = EXPORT_FIXED_MS + SAFETY * ((2 * bytes) / EXPORT_BYTES_PER_MS);
  return { finalistsMs, guardMs, exportMs, totalMs: finalistsMs + guardMs + exportMs };
}
