/** Lines of context around a change, as git writes them. */
const CONTEXT = 3;

/** A text split into lines that keep a carriage return; a last line without its newline is remembered. */
interface Lines {
  readonly lines: readonly string[];
  readonly isTerminated: boolean;
}

/** A unified diff that inserts one line before line `at` (counted from 0) of the file `path`, as `git apply` takes it. */
export function insertionDiff(path: string, text: string, at: number, inserted: string): string {
  const { lines, isTerminated } = splitLines(text);
  const before = lines.slice(Math.max(0, at - CONTEXT), at);
  const after = lines.slice(at, at + CONTEXT);
  const old = before.length + after.length;
  const start = at - before.length + 1;
  const carriageReturn = lines[at]?.endsWith("\r") ? "\r" : "";
  return [
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -${start},${old} +${start},${old + 1} @@`,
    ...before.map(unchanged),
    `+${inserted}${carriageReturn}`,
    ...after.map(unchanged),
    ...(at + after.length === lines.length && !isTerminated ? ["\\ No newline at end of file"] : []),
    "",
  ].join("\n");
}

function unchanged(line: string): string {
  return ` ${line}`;
}

function splitLines(text: string): Lines {
  const lines = text.split("\n");
  const isTerminated = lines.at(-1) === "";
  return { lines: isTerminated ? lines.slice(0, -1) : lines, isTerminated };
}
