/** Bytes at places of open files, read and written by the thread that needs them. */
import { readSync, writeSync } from "node:fs";
import type { FilePlace } from "../checkpoint/weight-file.ts";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";

/** Fills `bytes` with those from `offset` behind the place on; a UserError where the file ends before or cannot be read. */
export function fillFrom({ path, descriptor, start }: FilePlace, offset: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const read = tryToRead(path, () => readSync(descriptor, bytes, done, bytes.length - done, start + offset + done));
    if (read === 0)
      throw new UserError(
        `${path}: expected bytes up to ${start + offset + bytes.length}, found the end at ${start + offset + done}; it was cut while open`,
      );
    done += read;
  }
}

/** Pieces that are written to a place of a file, each of which is read back at once. */
export class PiecesWritten {
  readonly #place: FilePlace;
  #read = new Uint8Array();

  constructor(place: FilePlace) {
    this.#place = place;
  }

  /** Writes all bytes; what the file system refuses is thrown as it is, and a UserError where it has others then. */
  write(offset: number, bytes: Uint8Array): void {
    const { descriptor, start } = this.#place;
    for (let done = 0; done < bytes.length;)
      done += writeSync(descriptor, bytes, done, bytes.length - done, start + offset + done);
    this.check(offset, bytes);
  }

  /** A UserError where the file has others than these bytes. */
  check(offset: number, bytes: Uint8Array): void {
    if (this.#read.length < bytes.length) this.#read = new Uint8Array(bytes.length);
    const read = this.#read.subarray(0, bytes.length);
    fillFrom(this.#place, offset, read);
    if (Buffer.compare(read, bytes) === 0) return;
    const { path, start } = this.#place;
    const from = start + offset;
    throw new UserError(
      `${path}: bytes ${from} to ${from + bytes.length} are not those that were written there; check the disk and merge again`,
    );
  }
}

function tryToRead(path: string, read: () => number): number {
  try {
    return read();
  } catch (cause) {
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}
