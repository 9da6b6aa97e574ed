import { UserError } from "../../errors.ts";

const TOO_MANY =
  "a dataset's card has more patterns than can be compared with its files; fetch the files and name them";

/**
 * Whether a path matches a pattern in which `*` stands for any characters but `/`, `?` for one, and `**` for any folders,
 * or at the end for any files below. Patterns come from strangers: the time is the product of the lengths at most, and
 * what many patterns and paths may take together is `steps.left`, which is counted down; a UserError where it is used up.
 */
export function matchesGlob(pattern: string, path: string, steps = { left: Infinity }): boolean {
  steps.left -= pattern.length + path.length;
  const segments = pattern.replace(/^\.?\//, "").split("/");
  // A path is made of segments as a segment is made of characters: `**` is to the first what `*` is to the second.
  if (segments.at(-1) === "**") segments.push("*");
  return matches(segments, "**", path.split("/"), (segment, name) =>
    matches(segment.replace(/\*+/g, "*").split(""), "*", name.split(""), (p, character) => {
      if (--steps.left < 0) throw new UserError(TOO_MANY);
      return p === "?" || p === character;
    }),
  );
}

/** Whether the items match the pattern, in which each wildcard stands for any number of them. */
function matches(
  pattern: readonly string[],
  wildcard: string,
  items: readonly string[],
  isMatch: (pattern: string, item: string) => boolean,
): boolean {
  const [first = [], ...others] = split(pattern, wildcard);
  const last = others.pop();
  const fits = (run: readonly string[], at: number): boolean =>
    run.every((element, i) => isMatch(element, items[at + i] ?? ""));
  if (last === undefined) return first.length === items.length && fits(first, 0);
  const end = items.length - last.length;
  if (first.length > end || !fits(first, 0) || !fits(last, end)) return false;
  // Taking each run as early as it occurs leaves the most for those after it.
  let at = first.length;
  for (const run of others) {
    while (at + run.length <= end && !fits(run, at)) at++;
    at += run.length;
    if (at > end) return false;
  }
  return true;
}

/** The runs between wildcards: one more than there are wildcards. */
function split(pattern: readonly string[], wildcard: string): string[][] {
  const runs: string[][] = [[]];
  for (const element of pattern) {
    if (element === wildcard) runs.push([]);
    else runs.at(-1)?.push(element);
  }
  return runs;
}
