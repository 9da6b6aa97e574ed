import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { UserError } from "../errors.ts";
import { csvRecords } from "./csv-records.ts";
import { jsonArrayRecords, jsonLinesRecords } from "./json-records.ts";
import type { RowRecord } from "./row-record.ts";

/** Validation rows are a few megabytes; a larger file is the wrong one, and would only fill the memory. */
const MAX_BYTES = 2 ** 30;

/**
 * Reads the records of a CSV file with a header, a parquet file, or for any other extension JSON lines; a `.json` file
 * may be one array too. Of a parquet file only the named columns are read. Faults are UserErrors.
 */
export async function readRecords(path: string, columns: ReadonlySet<string>): Promise<RowRecord[]> {
  const bytes = await readBytes(path);
  switch (extname(path).toLowerCase()) {
    case ".parquet": {
      // Its decompressors take a while to load.
      const { parquetRecords } = await import("./parquet-records.ts");
      return parquetRecords(path, bytes, columns);
    }
    case ".csv":
      return csvRecords(path, bytes);
    case ".json":
      return /^\uFEFF?\s*\[/.test(bytes.toString("utf8", 0, 100))
        ? jsonArrayRecords(path, decode(path, bytes))
        : jsonLinesRecords(path, decode(path, bytes));
    default:
      return jsonLinesRecords(path, decode(path, bytes));
  }
}

async function readBytes(path: string): Promise<Buffer> {
  const unreadable = (error: Error): never => {
    throw new UserError(`${path}: cannot read the rows: ${error.message}`, { cause: error });
  };
  const { size } = await stat(path).catch(unreadable);
  if (size > MAX_BYTES) {
    throw new UserError(`${path}: expected a file of rows of at most 1 GiB, found ${size} bytes; give a part of it`);
  }
  return readFile(path).catch(unreadable);
}

function decode(path: string, bytes: Buffer): string {
  try {
    return bytes.toString("utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    // Longer than a JavaScript string can be.
    throw new UserError(`${path}: cannot read the rows: ${(error as Error).message}`, { cause: error });
  }
}
