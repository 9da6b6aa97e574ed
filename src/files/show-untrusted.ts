import { inspect } from "node:util";

/** Renders a value from an untrusted file for an error: one short line, control characters escaped. */
export function showUntrusted(value: unknown): string {
  return inspect(value, {
    depth: Array.isArray(value) ? 0 : -1,
    maxArrayLength: 9,
    maxStringLength: 100,
    breakLength: Infinity,
    compact: true,
  });
}
