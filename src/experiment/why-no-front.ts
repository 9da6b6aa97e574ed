import { namedOptimizer, recordedOptimizer } from "../search/optimizers.ts";
import type { AnySpace } from "../space/spaces.ts";
import type { SearchOptions } from "./experiment.ts";

/** Walks of one search; each is a candidate with its gradient in every generation. */
const MOST_WALKS = 100;

/** Which option of a search for a front of the tasks cannot be, and why; undefined where all can, or it is for no front. */
export function whyNoFront(
  { method }: Pick<AnySpace, "method">,
  { algorithm, population }: Pick<SearchOptions, "algorithm" | "population">,
  tasks: number,
): { readonly option: "algorithm" | "population"; readonly why: string } | undefined {
  const named = namedOptimizer(algorithm, method === "stack");
  const front = recordedOptimizer(named)?.front;
  if (!front) return undefined;
  if (tasks < 2) {
    const why = `${named} looks for a front of several tasks, found one task; add another, or leave the algorithm out`;
    return { option: "algorithm", why };
  }
  if (front !== "walks" || population === "auto" || (population > tasks && population <= MOST_WALKS)) return undefined;
  const why = `${named} has a walk for each task, one for all of them and others between, expected ${tasks + 1} to ${MOST_WALKS}, found ${population}; leave it out for ${2 * tasks + 1} at most`;
  return { option: "population", why };
}
