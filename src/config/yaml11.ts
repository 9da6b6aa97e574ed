/** What of a YAML file YAML 1.1 could not read, or as other numbers: PyYAML reads by that. */
import { type Document, isAlias, isMap, isScalar, isSeq, visit } from "yaml";
import type { PlacedFault } from "./placed-fault.ts";

/** Plain texts that are numbers in YAML 1.1, by what stands behind a sign, with what they are there once each `_` is left out. */
const NUMBERS: readonly (readonly [RegExp, (text: string) => number])[] = [
  [/^0[0-7_]+$/, (text) => Number.parseInt(text, 8)],
  [/^0b[01_]+$/, (text) => Number.parseInt(text.slice(2), 2)],
  [/^0x[\da-fA-F_]+$/, Number],
  [/^(0|[1-9][\d_]*)$/, Number],
  [/^\d[\d_]*\.[\d_]*([eE][-+]\d+)?$/, Number],
  [/^[1-9][\d_]*(:[0-5]?\d)+$/, inSixtieths],
  [/^\d[\d_]*(:[0-5]?\d)+\.[\d_]*$/, inSixtieths],
];
/** One that begins with a point, in front of which no sign stands there. */
const BELOW_ONE = /^\.\d[\d_]*([eE][-+]\d+)?$/;

/** Faults of merge keys and of plain texts that are a number for one YAML and not for the other. */
export function yaml11Faults(document: Document.Parsed): PlacedFault[] {
  const faults: PlacedFault[] = [];
  const mappingOf = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.source !== "<<") return;
      const merged = mappingOf(value);
      if ((isSeq(merged) ? merged.items : [merged]).every((own) => isMap(mappingOf(own)))) return;
      faults.push({
        offset: key.range?.[0] ?? 0,
        message: "<<: expected a mapping, an alias of one, or a list of these",
      });
    },
    Scalar(_, { type, value, source = "", range }) {
      const message = type === "PLAIN" ? whyTwoNumbers(source, value) : undefined;
      if (message !== undefined) faults.push({ offset: range?.[0] ?? 0, message });
    },
  });
  return faults;
}

function whyTwoNumbers(source: string, now: unknown): string | undefined {
  const then = numberIn(source);
  // 1e-3 is a text in YAML 1.1, and is taken for the number by whoever wants one.
  if (then === now || (then === undefined && !source.includes("0o"))) return undefined;
  if (then === undefined && typeof now !== "number") return undefined;
  const both = [then, typeof now === "number" ? now : undefined];
  const [in11, since] = both.map((value) => value ?? "a text");
  const [first, second] = both.map((value) => value ?? JSON.stringify(source));
  return `${source} is ${in11} in YAML 1.1, by which others read this file, and ${since} since; write ${first} or ${second}`;
}

function numberIn(source: string): number | undefined {
  if (BELOW_ONE.test(source)) return Number(source.replaceAll("_", ""));
  const [, sign, digits = ""] = /^([-+]?)(\d.*)$/.exec(source) ?? [];
  const [, read] = NUMBERS.find(([pattern]) => pattern.test(digits)) ?? [];
  const value = read?.(digits.replaceAll("_", ""));
  return value !== undefined && sign === "-" ? -value : value;
}

function inSixtieths(text: string): number {
  return text.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}
