import { z } from "zod";

const kinds: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "a mapping",
  record: "a mapping",
  string: "text",
  tuple: "a list",
};

/**
 * Error map for zod that says what was expected, to be put after "expected": "a whole number", "at least 2". For
 * unknown keys it lists the known ones. A schema's own message comes before this map and must read the same way.
 */
export function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return kinds[issue.expected] ?? issue.expected;
    case "invalid_value":
      return anyOf(issue.values.map(String));
    case "too_small":
      return `${bound(issue.exact, issue.inclusive, ["exactly", "at least", "more than"])} ${amount(issue.minimum, issue.origin)}`;
    case "too_big":
      return `${bound(issue.exact, issue.inclusive, ["exactly", "at most", "less than"])} ${amount(issue.maximum, issue.origin)}`;
    case "unrecognized_keys":
      return knownKeys(issue.inst).join(", ");
    default:
      return issue.code;
  }
}

/** Alternatives as prose: "a, b or c". */
export function anyOf(alternatives: readonly string[]): string {
  const last = alternatives.at(-1) ?? "";
  const others = alternatives.slice(0, -1);
  return others.length === 0 ? last : `${others.join(", ")} or ${last}`;
}

type Bounds = readonly [exact: string, inclusive: string, exclusive: string];

function bound(exact: boolean | undefined, inclusive: boolean | undefined, [equal, closed, open]: Bounds): string {
  if (exact === true) return equal;
  return inclusive === false ? open : closed;
}

function amount(size: number | bigint, origin: string): string {
  const plural = size === 1 || size === 1n ? "" : "s";
  if (origin === "array") return `${size} item${plural}`;
  return origin === "string" ? `${size} character${plural}` : String(size);
}

function knownKeys(schema: z.core.$ZodRawIssue["inst"]): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
