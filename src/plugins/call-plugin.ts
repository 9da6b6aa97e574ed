import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";

/** What a plugin's own code makes of a call; what it throws, or a value that does not fit, is a UserError that names it. */
export function callPlugin<T>(what: string, call: () => T, whyNot: (value: T) => string | undefined): T {
  let value: T;
  try {
    value = call();
  } catch (error) {
    throw namedError(what, error);
  }
  return fitting(what, value, whyNot);
}

/** The same of a call whose value comes later. */
export async function callPluginAsync<T>(
  what: string,
  call: () => T | PromiseLike<T>,
  whyNot: (value: T) => string | undefined,
): Promise<T> {
  let value: T;
  try {
    value = await call();
  } catch (error) {
    throw namedError(what, error);
  }
  return fitting(what, value, whyNot);
}

/** What evomerge itself refuses on the way, such as for want of memory, keeps its meaning. */
function namedError(what: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  return new UserError(`${what}: ${messageOf(error)}`, { cause: error });
}

function fitting<T>(what: string, value: T, whyNot: (value: T) => string | undefined): T {
  const expected = whyNot(value);
  if (expected === undefined) return value;
  throw new UserError(`${what}: expected ${expected}`);
}

/** The message of whatever somebody's code threw. */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== ""
    ? error.message.slice(0, 500)
    : `it threw ${showUntrusted(error)}`;
}

/** Such as `a finite number, found NaN`. */
export function found(expected: string, value: unknown): string {
  return `${expected}, found ${showUntrusted(value)}`;
}
