import { createHash } from "node:crypto";
import type { JournalRecord } from "./records.ts";

/** A record with its place in the journal. */
export interface Entry {
  /** Number of the record, counting from 0. */
  readonly sequence: number;
  /** Length of the side file when the record was written: all that the record may refer to. */
  readonly numberBytes: number;
  readonly record: JournalRecord;
}

/** Numbers that JSON lacks, by their names in the journal. */
const beyondJson: ReadonlyMap<unknown, number> = new Map([NaN, Infinity, -Infinity, -0].map((n) => [nameOf(n), n]));

/** The nesting of records is about ten; recursion needs a bound. */
const MAX_DEPTH = 100;

/** What stands between a record and its checksum, and behind that; all else of the end are 8 hexadecimal digits. */
const SEAL = [',"checksum":"', '"}'] as const;
const SEAL_LENGTH = SEAL[0].length + 8 + SEAL[1].length;

/**
 * The line of a record: JSON whose last field is a checksum of all before it. Numbers come back bit for bit; NaN, the
 * infinities and -0, which JSON lacks, are written as `{"$number":"NaN"}`.
 */
export function encodeEntry(entry: Entry): string {
  const body = JSON.stringify(entry, (_, value: unknown) => {
    if (typeof value === "number" && isBeyondJson(value)) return { $number: nameOf(value) };
    if (numberIn(value) !== undefined) throw new Error(`journal: ${JSON.stringify(value)} would be read as a number`);
    return value;
  });
  return `${body.slice(0, -1)}${sealOf(body)}\n`;
}

/**
 * Reads a line without its line break: undefined when its checksum is not that of what stands before it, as in a torn
 * line, else whatever it holds, yet to be checked; null where that is not JSON of ours.
 */
export function decodeLine(line: string): unknown {
  const body = `${line.slice(0, -SEAL_LENGTH)}}`;
  if (line.slice(-SEAL_LENGTH) !== sealOf(body)) return undefined;
  try {
    return revive(JSON.parse(body), 0);
  } catch {
    return null;
  }
}

/** First 8 hexadecimal digits of the SHA-256. */
export function checksum(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 8);
}

function sealOf(body: string): string {
  return SEAL.join(checksum(body));
}

/** Puts the numbers that JSON lacks in their places; throws where a value is nested deeper than records are. */
function revive(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) throw new RangeError("nested too deeply");
  if (Array.isArray(value)) {
    // Most are numbers, of which there may be millions.
    for (let i = 0; i < value.length; i += 1) {
      if (typeof value[i] === "object") value[i] = revive(value[i], depth + 1);
    }
    return value;
  }
  const number = numberIn(value);
  if (number !== undefined) return number;
  const keys = Object.keys(value);
  // A key that an assignment would not make; no record has it.
  if (keys.includes("__proto__")) throw new RangeError("a key that no record has");
  const object = value as Record<string, unknown>;
  for (const key of keys) object[key] = revive(object[key], depth + 1);
  return object;
}

/** The number that an object stands for: one whose only key is $number, with a name of those that JSON lacks. */
function numberIn(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "$number")) return undefined;
  return Object.keys(value).length === 1 ? beyondJson.get((value as { readonly $number: unknown }).$number) : undefined;
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function isBeyondJson(value: number): boolean {
  return !Number.isFinite(value) || Object.is(value, -0);
}
