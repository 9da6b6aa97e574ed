import { UserError } from "../errors.ts";
import { findExcess, findJsonFault } from "./json-fault.ts";

/**
 * Parses JSON that somebody else wrote. A UserError says where it stops being JSON, in words of our own, because V8's
 * quote the text; so does one for a text that would take far more memory than its length, or is nested without end.
 */
export function parseJson(text: string, where: string, what: string): unknown {
  const excess = findExcess(text);
  if (excess !== undefined) throw new UserError(`${where}: expected ${what}: found ${excess}`);
  try {
    return JSON.parse(text);
  } catch {
    // Not passed on as the cause, which would be shown with its quotation.
    throw new UserError(`${where}: expected ${what}: ${describe(text, findJsonFault(text))}`);
  }
}

function describe(text: string, offset: number): string {
  if (offset === text.length) return "this JSON ends too early";
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  const character = `character ${offset - start + 1}`;
  return `this is not JSON from ${text.includes("\n") ? `line ${line}, ${character}` : character} on`;
}
