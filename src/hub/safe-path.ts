const CONTROL = /\p{Cc}/u;

/** Whether a path that a repository gives its file stays inside any folder it is joined to, on every system. */
export function isSafePath(path: string): boolean {
  if (CONTROL.test(path) || path.includes("\\") || /^[A-Za-z]:/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
