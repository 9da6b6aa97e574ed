import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { UserError } from "../errors.ts";
import { checkUtf8 } from "./check-utf8.ts";
import { giveWay, STRETCH } from "./give-way.ts";
import { MAX_ROWS, type RowRecord, tooManyRows } from "./row-record.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The mark with which UTF-16 begins, little end first. */
const UTF16 = Buffer.of(0xff, 0xfe);

/** What csv-parse returns with `info`: a record and the offset in the file at which it ends. */
interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

/** Characters of a record. */
const LONGEST_RECORD = 2 ** 24;
const MOST_COLUMNS = 1000;

/**
 * The records of a CSV file whose first record names the columns, which is in UTF-8 or, as its first bytes then say,
 * UTF-16. A file that is not CSV is a UserError; an abort of the signal rejects with its reason.
 */
export async function* csvRecords(path: string, bytes: Buffer, signal?: AbortSignal): AsyncGenerator<RowRecord> {
  if (!bytes.subarray(0, 2).equals(UTF16)) checkUtf8(path, bytes);
  const lineAfter = lineCounter(bytes);
  let columns: readonly string[] | undefined;
  let records = 0;
  for await (const { record, info } of parseTable(path, bytes, signal)) {
    // Of those behind it no more were parsed than a piece of the file holds.
    if (++records > MAX_ROWS + 1) throw tooManyRows(path);
    const where = `${path}:${lineAfter(info.bytes)}`;
    if (columns === undefined) columns = record;
    else {
      const values = columns.map((name, i) => [name, cellValue(name, record[i] ?? "")] as const);
      yield { where, columns, values: Object.fromEntries(values), share: info.bytes / bytes.length };
    }
  }
}

async function* parseTable(path: string, bytes: Buffer, signal?: AbortSignal): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n"],
    max_record_size: LONGEST_RECORD,
    // Counted meanwhile, before a file of nothing but separators has filled the memory.
    cast: (field: string, { index }: { readonly index: number }): string => {
      if (index === MOST_COLUMNS) throw new Error(`more than ${MOST_COLUMNS} columns`);
      return field;
    },
  });
  const source = Readable.from(piecesOf(bytes, signal));
  source.on("error", (error) => parser.destroy(error));
  try {
    // The types of csv-parse do not follow `info`.
    yield* source.pipe(parser) as AsyncIterable<CsvRecord>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new UserError(`${path}: expected CSV with a header: ${(error as Error).message}`, { cause: error });
  }
}

async function* piecesOf(bytes: Buffer, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += STRETCH.bytes) {
    await giveWay(signal);
    yield bytes.subarray(start, start + STRETCH.bytes);
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
