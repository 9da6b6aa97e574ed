import { type AsyncBuffer, type Compressors, parquetMetadata, parquetScan, parquetSchema } from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { UserError } from "../errors.ts";
import { MAX_ROWS, tooManyRows } from "./row-record.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Other bytes are a fault: decoded, the text would have other characters in it. */
const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes) };

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Some columns of a parquet file, each with a value for every row. */
export interface ParquetTable {
  /** All columns of the file. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of the columns that were wanted and are there. */
  readonly values: ReadonlyMap<string, readonly unknown[]>;
}

/** Of all pages after decompression; a small file of zeros could otherwise fill the memory. */
const MAX_UNPACKED_BYTES = 2 ** 30;
/** Of all texts together: a page may name one long text for every row. */
const MAX_CHARACTERS = 2 ** 28;

/**
 * The named columns of a parquet file; integers of 64 bits come as numbers. Whatever is wrong with the file is a
 * UserError. Counts in its metadata are compared with the limits before anything is decoded, and with the values that are
 * there; what a page of run lengths expands to is not bounded, so that strangers' files are read in a process of their own.
 */
export async function parquetTable(path: string, bytes: Buffer, wanted: ReadonlySet<string>): Promise<ParquetTable> {
  try {
    return await readTable(path, bytes, wanted);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: cannot read it as parquet: ${(error as Error).message}`);
  }
}

async function readTable(path: string, bytes: Buffer, wanted: ReadonlySet<string>): Promise<ParquetTable> {
  const metadata = parquetMetadata(bytes);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const present = columns.filter((name) => wanted.has(name));
  const scan = await parquetScan({
    file: inMemory(bytes),
    metadata,
    columns: present,
    compressors: bounded(),
    parsers,
  });
  const rows = scan.ranges.reduce((sum, { rowStart, rowEnd }) => sum + rowEnd - rowStart, 0);
  if (!(rows <= MAX_ROWS)) throw tooManyRows(path);
  const values = new Map(present.map((name) => [name, [] as unknown[]]));
  let characters = 0;
  // A range is a group of rows.
  for (const { rowStart, rowEnd } of scan.ranges) {
    for (const [column, all] of values) {
      const found = await scan.readColumn({ column, rowStart, rowEnd });
      if (found.length !== rowEnd - rowStart) {
        throw new Error(`expected ${rowEnd - rowStart} values of the column ${column}, found ${found.length}`);
      }
      for (let row = 0; row < found.length; row++) {
        const value = plain(found[row]);
        characters += charactersOf(value);
        if (characters > MAX_CHARACTERS) {
          throw new UserError(
            `${path}: expected at most 256 MiB of text, found more; give a file of a part of its rows`,
          );
        }
        all.push(value);
      }
    }
  }
  return { columns, rows, values };
}

function inMemory(bytes: Buffer): AsyncBuffer {
  return {
    byteLength: bytes.length,
    slice: (start, end) => new Uint8Array(bytes.subarray(start, end)).buffer,
  };
}

/** The decompressors, which together return a limited number of bytes. */
function bounded(): Compressors {
  let left = MAX_UNPACKED_BYTES;
  const limit =
    (decompress: Decompress): Decompress =>
    (input, length) => {
      left -= length;
      if (length < 0 || left < 0)
        throw new Error(`a page of ${length} bytes; all pages may have ${MAX_UNPACKED_BYTES}`);
      return decompress(input, length);
    };
  // On its own Zstandard's would unpack whatever the page holds, not what its header says.
  const all = {
    ...compressors,
    ZSTD: (input: Uint8Array, length: number) => decompressZstd(input, new Uint8Array(length)),
  };
  return Object.fromEntries(Object.entries(all).map(([codec, decompress]) => [codec, limit(decompress)]));
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function charactersOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + 1 + charactersOf(item), 0) : 0;
}
