/**
 * Python's `strip`, `lstrip`, `rstrip` and Jinja's `trim` for the templates' interpreter, whose own know JavaScript's white
 * space, and no other characters to strip.
 */
import { strip, stripEnd, stripStart } from "../../files/white-space.ts";

/** What is done at which ends of a text. */
const ends = {
  strip: { whole: strip, atStart: true, atEnd: true },
  trim: { whole: strip, atStart: true, atEnd: true },
  lstrip: { whole: stripStart, atStart: true, atEnd: false },
  rstrip: { whole: stripEnd, atStart: false, atEnd: true },
} as const;

type Name = keyof typeof ends;

/** No template can write such a name. */
const nameOf = (name: Name): string => `python ${name}`;

/** Functions by the names that calls are given by `usePythonStrips`. */
export const pythonStrips: Readonly<Record<string, (text: unknown, characters?: unknown) => string>> =
  Object.fromEntries((Object.keys(ends) as Name[]).map((name) => [nameOf(name), (...args) => stripped(name, ...args)]));

/** Turns methods and filters in a parsed template, and in all its parts, into calls of those functions. */
export function usePythonStrips(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  const node = part as Record<string, unknown>;
  const call = node["type"] === "CallExpression" ? methodCall(node) : filterCall(node);
  if (call) Object.assign(node, { type: "CallExpression", callee: identifier(nameOf(call.name)), args: call.args });
  const parts = part instanceof Map ? [...part].flat() : Object.values(call ? { args: call.args } : node);
  for (const inner of parts) usePythonStrips(inner);
}

interface Call {
  readonly name: Name;
  readonly args: readonly unknown[];
}

function methodCall({ callee, args }: Record<string, unknown>): Call | undefined {
  const { type, computed, object, property } = callee as Record<string, unknown>;
  const name = (property as { readonly value?: unknown } | undefined)?.value;
  if (type !== "MemberExpression" || computed === true || !isName(name) || name === "trim") return undefined;
  return { name, args: [object, ...(args as unknown[])] };
}

function filterCall({ type, operand, filter }: Record<string, unknown>): Call | undefined {
  if (type !== "FilterExpression") return undefined;
  const { value, callee, args = [] } = filter as Record<string, unknown>;
  const name = value ?? (callee as { readonly value?: unknown }).value;
  return name === "trim" ? { name, args: [operand, ...(args as unknown[])] } : undefined;
}

function identifier(value: string): unknown {
  return { type: "Identifier", value };
}

function isName(name: unknown): name is Name {
  return typeof name === "string" && Object.hasOwn(ends, name);
}

function stripped(name: Name, text: unknown, characters: unknown): string {
  if (typeof text !== "string") throw new Error(`${name}: expected a text`);
  const { whole, atStart, atEnd } = ends[name];
  if (characters === undefined || characters === null) return whole(text);
  if (typeof characters !== "string") throw new Error(`${name}: expected characters`);
  const [set, kept] = [new Set(characters), Array.from(text)];
  const isKept = (character: string): boolean => !set.has(character);
  const first = atStart ? kept.findIndex(isKept) : 0;
  const last = atEnd ? kept.findLastIndex(isKept) : kept.length - 1;
  return first < 0 ? "" : kept.slice(first, last + 1).join("");
}
