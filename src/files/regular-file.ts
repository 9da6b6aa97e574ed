import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { UserError } from "../errors.ts";

/** Opens a file that must be a regular one, such as no pipe, which would never end; the caller closes it. */
export function openRegularFile(path: string, flags: number): number {
  // Without O_NONBLOCK, opening a pipe would wait for its other end.
  const descriptor = openSync(path, flags | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new UserError(`${path}: expected a file, found something that is not a regular file`);
}

/** Runs `read` on a regular file and its size, and closes the file. */
export function readingRegularFile<T>(path: string, read: (descriptor: number, size: number) => T): T {
  const descriptor = openRegularFile(path, constants.O_RDONLY);
  try {
    return read(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of an open file from `offset` on; fewer than `length` where it ends before. */
export function readAt(descriptor: number, offset: number, length: number): Buffer<ArrayBuffer> {
  const content = Buffer.alloc(length);
  let done = 0;
  for (let read = -1; read !== 0 && done < length; done += read) {
    read = readSync(descriptor, content, done, length - done, offset + done);
  }
  return content.subarray(0, done);
}
