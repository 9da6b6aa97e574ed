import { parse } from "csv-parse/sync";
import { UserError } from "../errors.ts";
import { MAX_ROWS, type RowRecord, tooManyRows } from "./row-record.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What csv-parse returns with `info`: a record and the offset in the file at which it ends. */
interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

/** Characters of a record. */
const LONGEST_RECORD = 2 ** 24;
const MOST_COLUMNS = 1000;

/** The records of a CSV file whose first record names the columns. A file that is not CSV is a UserError. */
export function csvRecords(path: string, bytes: Buffer): RowRecord[] {
  const [header, ...records] = parseTable(path, bytes);
  if (!header) return [];
  const columns = header.record;
  const lineAfter = lineCounter(bytes);
  lineAfter(header.info.bytes);
  return records.map(({ record, info }) => ({
    where: `${path}:${lineAfter(info.bytes)}`,
    columns,
    values: Object.fromEntries(columns.map((name, i) => [name, cellValue(name, record[i] ?? "")])),
  }));
}

function parseTable(path: string, bytes: Buffer): CsvRecord[] {
  try {
    let records = 0;
    const options = {
      bom: true,
      info: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n"],
      max_record_size: LONGEST_RECORD,
      // Both are counted meanwhile, before a file of nothing but separators or line ends has filled the memory.
      cast: (field: string, { index }: { readonly index: number }): string => {
        if (index === MOST_COLUMNS) throw new Error(`more than ${MOST_COLUMNS} columns`);
        return field;
      },
      on_record: <T>(record: T): T => {
        if (++records > MAX_ROWS + 1) throw tooManyRows(path);
        return record;
      },
    };
    // The types of csv-parse do not follow `info`.
    return parse(bytes, options) as unknown as CsvRecord[];
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: expected CSV with a header: ${(error as Error).message}`, { cause: error });
  }
}

/** Counts lines as records are passed: the line at which the record begins that ends at an offset. */
function lineCounter(bytes: Buffer): (end: number) => number {
  let offset = 0;
  let line = 1;
  return (end) => {
    const record = bytes.subarray(offset, end);
    const blank = record.findIndex((byte) => byte !== LINE_FEED && byte !== CARRIAGE_RETURN);
    const begin = line + countLines(record.subarray(0, blank));
    line += countLines(record);
    offset = end;
    return begin;
  };
}

function countLines(bytes: Buffer): number {
  return bytes.reduce((count, byte) => count + Number(byte === LINE_FEED), 0);
}

/** CSV has texts only: labels are integers, and an absent list is empty or, from pandas, Python's None. */
function cellValue(column: string, text: string): string | number | undefined {
  if (column === "label" || column === "answer") return /^-?\d+$/.test(text) ? Number(text) : text || undefined;
  const isList = column === "answer_choices" || column === "choices";
  return isList && /^(?:None|nan)?$/.test(text) ? undefined : text;
}
