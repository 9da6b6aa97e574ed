import { createHash } from "node:crypto";
import type { JournalRecord } from "./records.ts";

/** A record with its place in the journal. */
export interface Entry {
  /** Number of the record, counting from 0. */
  readonly sequence: number;
  /** Length of the side file when the record was written: all that the record may refer to. */
  readonly lossBytes: number;
  readonly record: JournalRecord;
}

/**
 * The line of a record: JSON whose last field is a checksum of all before it. Numbers come back bit for bit; NaN, the
 * infinities and -0, which JSON lacks, are written as `{"$number":"NaN"}`.
 */
export function encodeEntry(entry: Entry): string {
  const body = JSON.stringify(entry, (_, value: unknown) =>
    typeof value === "number" && isBeyondJson(value) ? { $number: Object.is(value, -0) ? "-0" : String(value) } : value,
  );
  return `${body.slice(0, -1)},"checksum":"${checksum(body)}"}\n`;
}

/** Reads a line without its line break; undefined when it is not what `encodeEntry` wrote. */
export function decodeEntry(line: string): Entry | undefined {
  const [, start = "", found] = /^(.*),"checksum":"([0-9a-f]{8})"\}$/.exec(line) ?? [];
  const body = `${start}}`;
  if (found !== checksum(body)) return undefined;
  return JSON.parse(body, (_, value: unknown) =>
    typeof value === "object" && value !== null && "$number" in value ? Number(value.$number) : value,
  ) as Entry;
}

/** First 8 hexadecimal digits of the SHA-256. */
export function checksum(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 8);
}

function isBeyondJson(value: number): boolean {
  return !Number.isFinite(value) || Object.is(value, -0);
}
