import { FLAT_GENERATIONS, FLAT_SPREAD } from "../../search/flatness.ts";
import type { SearchState } from "./search-state.ts";

/** Why another generation would change nothing; undefined where it might. */
export function whyStopped({ optimizer, flat, lastScored }: SearchState): string | undefined {
  if (optimizer.isStuck) return whyStuck(optimizer.generation, lastScored?.loss ?? Number.NaN);
  if (optimizer.converged) return "it has converged, another generation would change nothing";
  if (flat < FLAT_GENERATIONS) return undefined;
  const last = `all candidates of the last ${flat} generations`;
  const narrow = "are the experts nearly equal to their base, or the ranges of the search space too narrow?";
  if (!lastScored || !Number.isFinite(lastScored.loss)) {
    return `${last} had no finite loss, so that there is nothing to choose by; merges with such coefficients overflow, or divide by zero where a formula of a plugin does; narrow the ranges of the search space`;
  }
  const within = `${last} scored within ${100 * FLAT_SPREAD} % of each other`;
  if (optimizer.generation > flat) return `${within}, so that more of it would gain next to nothing`;
  return `${within}, so that there is nothing to choose by; ${narrow}`;
}

/** Of a search by gradient. */
function whyStuck(generation: number, loss: number): string {
  const where = generation === 1 ? "where it begins" : "where it stands";
  const found = Number.isFinite(loss)
    ? `the loss is ${loss.toPrecision(4)} but its derivatives are not finite`
    : `the loss is ${loss}`;
  return `${where} ${found}, so that there is no step to take; let it begin elsewhere (seedFromBaselines, start), compute in another precision, or search by cma-es, which needs no derivatives`;
}
