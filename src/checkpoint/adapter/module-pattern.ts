import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";

/** What both Python and JavaScript read alike; a class that begins with its end is two things. */
const PLAIN = /^(?:[\w.^$|\])*+?-]|\[(?!\^?\])|\\[.dw]|\((?!\?)|\(\?:)*$/;
/** A repeated group can take more time than there is, as can many repetitions after one another. */
const REPEATED_GROUP = /\)[*+?{]/;
const MAX_REPETITIONS = 3;
const MAX_LENGTH = 200;

/**
 * Whether names of modules end with what a stranger's pattern describes, from a point on or as a whole: peft matches
 * `(.*\.)?(pattern)$`, in which a `^` is the beginning of the whole name. A UserError for a pattern that is no simple one.
 */
export function patternFor(pattern: string, where: string): (module: string) => boolean {
  const expression = isSimple(pattern) ? compiled(pattern) : undefined;
  if (!expression)
    throw new UserError(`${where}: expected the name of a module or a simple pattern, found ${show(pattern)}`);
  return (module) =>
    beginningsIn(module).some((start) => {
      expression.lastIndex = start;
      return expression.test(module);
    });
}

function isSimple(pattern: string): boolean {
  const repetitions = pattern.replaceAll("(?:", "(").match(/[*+?]/g)?.length ?? 0;
  return (
    pattern.length <= MAX_LENGTH &&
    repetitions <= MAX_REPETITIONS &&
    PLAIN.test(pattern) &&
    !REPEATED_GROUP.test(pattern)
  );
}

function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`(?:${pattern})$`, "y");
  } catch {
    return undefined;
  }
}

/** Where the name begins, and what is left of it behind each of its points. */
function beginningsIn(module: string): readonly number[] {
  return [0, ...Array.from(module.matchAll(/\./g), ({ index }) => index + 1)];
}
