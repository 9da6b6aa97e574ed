import { extname } from "node:path";
import { readFileWithin } from "../files/read-file.ts";
import { csvRecords } from "./csv-records.ts";
import { jsonArrayRecords, jsonLinesRecords } from "./json-records.ts";
import { parquetRecords } from "./parquet-records.ts";
import type { RowRecord } from "./row-record.ts";

/** Validation rows are a few megabytes; a larger file is the wrong one, and would only fill the memory. */
const PARQUET = { what: "a file of rows", maxBytes: 2 ** 30, advice: "give a part of it" };

/** Text is kept whole while it becomes rows; of a parquet file the columns that are read, whose size is checked apart. */
const TEXT = { what: "a file of rows", maxBytes: 2 ** 28, advice: "give a part of it, or the same rows as parquet" };

/**
 * Reads the records of a CSV file with a header, a parquet file, or for any other extension JSON lines; a `.json` file
 * may be one array too. Of a parquet file only the named columns are read. Faults, such as a file of more than 1 GiB or
 * a text of more than 256 MiB, are UserErrors, which those of JSON may be only when their record is asked for.
 */
export async function readRecords(path: string, columns: ReadonlySet<string>): Promise<Iterable<RowRecord>> {
  const extension = extname(path).toLowerCase();
  if (extension === ".parquet") {
    return parquetRecords(path, PARQUET, columns);
  }
  const bytes = await readFileWithin(path, TEXT);
  if (extension === ".csv") return csvRecords(path, bytes);
  const isArray = extension === ".json" && /^\uFEFF?\s*\[/.test(bytes.toString("utf8", 0, 100));
  return isArray ? jsonArrayRecords(path, bytes) : jsonLinesRecords(path, bytes);
}
