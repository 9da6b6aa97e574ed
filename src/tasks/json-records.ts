import { UserError } from "../errors.ts";
import { parseJson } from "../files/json.ts";
import { isJsonObject } from "../files/json-object.ts";
import { checkUtf8 } from "./check-utf8.ts";
import { giveWay, STRETCH } from "./give-way.ts";
import type { RowRecord } from "./row-record.ts";

const LINE_FEED = 0x0a;

/** The objects of JSON lines, blank lines left out; the first fault is a UserError that names file and line. */
export async function* jsonLinesRecords(path: string, bytes: Buffer, signal?: AbortSignal): AsyncGenerator<RowRecord> {
  checkUtf8(path, bytes);
  let line = 1;
  let stretchEnd = 0;
  // Line by line: the whole may be longer than a string can be.
  for (let start = 0; start < bytes.length; line++) {
    if (start >= stretchEnd) {
      await giveWay(signal);
      stretchEnd = start + STRETCH.bytes;
    }
    const end = bytes[start] === LINE_FEED ? start : bytes.indexOf(LINE_FEED, start);
    const text = end === start ? "" : bytes.toString("utf8", start, end < 0 ? bytes.length : end);
    start = end < 0 ? bytes.length : end + 1;
    if (text.trim() === "") continue;
    const where = `${path}:${line}`;
    yield record(
      parseJson(text.replace(/^\uFEFF/, ""), where, "a JSON object on one line"),
      where,
      start / bytes.length,
    );
  }
}

/** The objects of one JSON array; the first fault is a UserError that names the file and counts the rows from 1. */
export function* jsonArrayRecords(path: string, bytes: Buffer): Generator<RowRecord> {
  checkUtf8(path, bytes);
  const text = bytes.toString("utf8").replace(/^\uFEFF/, "");
  const values = parseJson(text, path, "an array of JSON objects") as unknown[];
  for (const [index, value] of values.entries()) {
    yield record(value, `${path}: row ${index + 1}`, (index + 1) / values.length);
  }
}

function record(value: unknown, where: string, share: number): RowRecord {
  if (isJsonObject(value)) return { where, columns: Object.keys(value), values: value, share };
  throw new UserError(`${where}: expected a JSON object, found ${JSON.stringify(value).slice(0, 40)}`);
}
