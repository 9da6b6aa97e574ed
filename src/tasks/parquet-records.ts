import { type AsyncBuffer, type Compressors, parquetMetadata, parquetScan, parquetSchema } from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { UserError } from "../errors.ts";
import type { RowRecord } from "./row-record.ts";

type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** Of all pages after decompression; a small file of zeros could otherwise fill the memory. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/**
 * The rows of a parquet file, of which only the named columns are read; integers of 64 bits come as numbers. Whatever is
 * wrong with the file is a UserError. Counts in its metadata are compared with the values that are there, never relied
 * on; what a page of run lengths expands to is not bounded.
 */
export async function parquetRecords(path: string, bytes: Buffer, wanted: ReadonlySet<string>): Promise<RowRecord[]> {
  try {
    return await readTable(path, bytes, wanted);
  } catch (error) {
    throw new UserError(`${path}: cannot read it as parquet: ${(error as Error).message}`, { cause: error });
  }
}

async function readTable(path: string, bytes: Buffer, wanted: ReadonlySet<string>): Promise<RowRecord[]> {
  const metadata = parquetMetadata(bytes);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const present = columns.filter((name) => wanted.has(name));
  const scan = await parquetScan({ file: inMemory(bytes), metadata, columns: present, compressors: bounded() });
  const records: RowRecord[] = [];
  // A range is a group of rows.
  for (const { rowStart, rowEnd } of scan.ranges) {
    const table = new Map<string, ArrayLike<unknown>>();
    for (const column of present) {
      const values = await scan.readColumn({ column, rowStart, rowEnd });
      if (values.length !== rowEnd - rowStart) {
        throw new Error(`expected ${rowEnd - rowStart} values of the column ${column}, found ${values.length}`);
      }
      table.set(column, values);
    }
    // Where no column is wanted one empty record tells the caller so; the row count alone is not to be trusted.
    const count = present.length > 0 ? rowEnd - rowStart : 1;
    for (let row = 0; row < count; row++) {
      const values = Object.fromEntries([...table].map(([name, all]) => [name, plain(all[row])]));
      records.push({ where: `${path}: row ${rowStart + row + 1}`, columns, values });
    }
  }
  return records;
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
