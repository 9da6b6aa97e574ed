import type { RecordPayloads } from "../journal/records.ts";
import type { SearchState } from "./search-state.ts";

/** Generations in a row whose candidates do not differ before a search is given up. */
const FLAT_GENERATIONS = 3;

/** Of a loss: what differs by less is a hundredth of the least gain that a verdict does not call small. */
const FLAT_SPREAD = 1e-4;

/** Whether all candidates had nearly the same loss, or none had any; one alone does not tell. */
export function isFlat({ losses, reference }: Pick<RecordPayloads["result"], "losses" | "reference">): boolean {
  if (!losses.some(Number.isFinite)) return true;
  const level = Math.abs(losses[reference] ?? Number.NaN);
  return losses.length > 1 && Math.max(...losses) - Math.min(...losses) < FLAT_SPREAD * level;
}

/** Why another generation would change nothing; undefined where it might. */
export function whyStopped({ optimizer, flat, lastScored }: SearchState): string | undefined {
  if (optimizer.converged) return "it has converged, another generation would change nothing";
  if (flat < FLAT_GENERATIONS) return undefined;
  const last = `all candidates of the last ${flat} generations`;
  const narrow = "are the experts nearly equal to their base, or the ranges of the search space too narrow?";
  if (!lastScored || !Number.isFinite(lastScored.loss)) {
    return `${last} had no finite loss, so that there is nothing to choose by; merges with such coefficients overflow, narrow the ranges of the search space`;
  }
  const within = `${last} scored within ${100 * FLAT_SPREAD} % of each other`;
  if (optimizer.generation > flat) return `${within}, so that more of it would gain next to nothing`;
  return `${within}, so that there is nothing to choose by; ${narrow}`;
}
