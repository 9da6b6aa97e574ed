import { UserError } from "../errors.ts";
import type { RowRecord } from "./row-record.ts";

/** The objects of JSON lines, blank lines left out; the first fault is a UserError that names file and line. */
export function jsonLinesRecords(path: string, text: string): RowRecord[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${path}:${index + 1}`;
    return record(parse(line, where, "a JSON object on one line"), where);
  });
}

/** The objects of one JSON array; the first fault is a UserError that names the file and counts the rows from 1. */
export function jsonArrayRecords(path: string, text: string): RowRecord[] {
  const values = parse(text, path, "an array of JSON objects") as unknown[];
  return values.map((value, index) => record(value, `${path}: row ${index + 1}`));
}

function parse(text: string, where: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where}: expected ${expected}: ${(error as Error).message}`, { cause: error });
  }
}

function record(value: unknown, where: string): RowRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`${where}: expected a JSON object, found ${JSON.stringify(value).slice(0, 40)}`);
  }
  return { where, columns: Object.keys(value), values: value as Record<string, unknown> };
}
