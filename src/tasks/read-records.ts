import { extname } from "node:path";
import { readFileWithin } from "../files/read-file.ts";
import { csvRecords } from "./csv-records.ts";
import { jsonArrayRecords, jsonLinesRecords } from "./json-records.ts";
import { inStretches } from "./give-way.ts";
import { parquetRecords } from "./parquet-records.ts";
import type { RowRecord } from "./row-record.ts";

/** Validation rows are a few megabytes; a larger file is the wrong one, and would only fill the memory. */
const PARQUET = { what: "a file of rows", maxBytes: 2 ** 30, advice: "give a part of it" };

/** Text is kept whole while it becomes rows; of a parquet file the columns that are read, whose size is checked apart. */
const TEXT = { what: "a file of rows", maxBytes: 2 ** 28, advice: "give a part of it, or the same rows as parquet" };

/**
 * Reads the records of a CSV file with a header, a parquet file, or for any other extension JSON lines; a `.json` file
 * may be one array too. Of a parquet file only the named columns are read. Faults, such as a file of more than 1 GiB, a
 * text of more than 256 MiB or one that is not UTF-8, are UserErrors, some only when their record is asked for; an abort
 * of the signal rejects with its reason.
 */
export async function readTaskRecords(
  path: string,
  columns: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<AsyncIterable<RowRecord>> {
  const extension = extname(path).toLowerCase();
  if (extension === ".parquet") {
    return inStretches(await parquetRecords(path, PARQUET, columns, { signal }), signal);
  }
  const bytes = await readFileWithin(path, TEXT);
  if (extension === ".csv") return csvRecords(path, bytes, signal);
  const isArray = extension === ".json" && /^\uFEFF?\s*\[/.test(bytes.toString("utf8", 0, 100));
  return isArray ? inStretches(jsonArrayRecords(path, bytes), signal) : jsonLinesRecords(path, bytes, signal);
}
