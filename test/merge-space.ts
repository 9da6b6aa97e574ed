import type { SearchSpace } from "../src/space/search-space.ts";
import type { AnySpace } from "../src/space/spaces.ts";

/** A search space of coefficients; an Error for one of stacks. */
export function mergeSpace(space: AnySpace): SearchSpace {
  if (space.method === "stack") throw new Error("expected a space of coefficients, found one of stacks");
  return space;
}
