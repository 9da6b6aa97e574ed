import type { Session } from "./session.ts";

/** Merges that compete for the winner beside the best baseline. */
export const FINALISTS = 3;
/** Models on the guard rows beside the parents: average, best global weight, winner. */
const GUARDED_MERGES = 3;
/** Estimates are of a shared machine: what a phase is expected to take is stretched by this. */
const SAFETY = 1.3;
/** Reading every parent once, writing and reading back the winner, bytes a second; a slow disk. */
const EXPORT_BYTES_PER_MS = 200_000;
const EXPORT_FIXED_MS = 1000;

/** Expected wall-clock milliseconds of each phase after the search. */
export interface FinishTime {
  readonly finalistsMs: number;
  readonly guardMs: number;
  readonly exportMs: number;
  readonly totalMs: number;
}

/** Expected time of the phases after the search, from the measured time of one model on all search rows. */
export function finishTime({ tasks, workspace }: Session, evaluationMs: number): FinishTime {
  const count = (side: "search" | "guard"): number => tasks.reduce((sum, task) => sum + task[side].length, 0);
  const parents = [...workspace.checkpoints.values()];
  const bytes = parents.flatMap(({ tensors }) => [...tensors.values()]).reduce((sum, tensor) => sum + tensor.bytes, 0);
  const finalistsMs = SAFETY * FINALISTS * evaluationMs;
  const guardMs = SAFETY * (parents.length + GUARDED_MERGES) * evaluationMs * (count("guard") / count("search"));
  const exportMs = EXPORT_FIXED_MS + SAFETY * ((2 * bytes) / EXPORT_BYTES_PER_MS);
  return { finalistsMs, guardMs, exportMs, totalMs: finalistsMs + guardMs + exportMs };
}
