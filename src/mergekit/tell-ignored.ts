import { hasEffect, takenBy } from "./methods.ts";
import type { Notices } from "./notices.ts";
import type { MergekitRecipe } from "./recipe-file.ts";
import type { Slice } from "./sliced.ts";

/** Tells of each parameter that a recipe gives and its method does not have, unless it would change nothing for any. */
export function tellIgnored(
  { merge_method: method }: Pick<MergekitRecipe, "merge_method">,
  slices: Iterable<Slice>,
  notices: Notices,
): void {
  const taken = takenBy(method);
  for (const { sources, scopes } of slices) {
    const given = [...sources.map(({ parameters }) => parameters), ...scopes].flatMap((own) => Object.keys(own ?? {}));
    for (const name of given.filter((own) => !Object.hasOwn(taken, own) && hasEffect(own)))
      notices.tell(`${name}: ${method} has no such parameter; it is ignored, as in mergekit`);
  }
}
