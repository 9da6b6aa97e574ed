/** Bytes at places of open files, read and written by the thread that needs them. */
import { readSync, writeSync } from "node:fs";
import type { FilePlace } from "../checkpoint/weight-file.ts";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";

/** Fills `bytes` with those from `offset` behind the place on; a UserError where the file ends before or cannot be read. */
export function fillFrom(place: FilePlace, offset: number, bytes: Uint8Array): void {
  const { path, start } = place;
  for (let done = 0; done < bytes.length;) {
    const read = readSome(place, offset + done, bytes.subarray(done));
    if (read === 0)
      throw new UserError(
        `${path}: expected bytes up to ${start + offset + bytes.length}, found the end at ${start + offset + done}; it was cut while open`,
      );
    done += read;
  }
}

/** Writes all bytes from `offset` behind the place on; what the file system refuses is thrown as it is. */
export function writeTo({ descriptor, start }: FilePlace, offset: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, bytes.length - done, start + offset + done);
}

function readSome({ path, descriptor, start }: FilePlace, offset: number, bytes: Uint8Array): number {
  try {
    return readSync(descriptor, bytes, 0, bytes.length, start + offset);
  } catch (cause) {
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}
