import type { RecordPayloads } from "../journal/records.ts";
import type { SearchState } from "./search-state.ts";

/** Generations in a row whose candidates do not differ before a search is given up. */
const FLAT_GENERATIONS = 3;

/** Whether all candidates and the mean had the same loss, or none had any. */
export function isFlat({ losses, meanLoss }: RecordPayloads["result"]): boolean {
  return [...losses, meanLoss].every(
    (loss) => Object.is(loss, meanLoss) || !(Number.isFinite(loss) || Number.isFinite(meanLoss)),
  );
}

/** Why another generation would change nothing; undefined where it might. */
export function whyStopped({ optimizer, flat, lastScored }: SearchState): string | undefined {
  if (optimizer.converged) return "it has converged, another generation would change nothing";
  if (flat < FLAT_GENERATIONS) return undefined;
  const found = lastScored && Number.isFinite(lastScored.loss) ? "the same loss" : "no finite loss";
  return `all candidates of the last ${flat} generations had ${found}, so that there is nothing to choose by; are the experts equal to their base, or the ranges of the search space too narrow?`;
}
