import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** What a file is expected to be, and how large it may be; a larger one is the wrong file, not worth the memory. */
export interface Expected {
  /** For the error, such as "a tokenizer.json". */
  readonly what: string;
  readonly maxBytes: number;
  /** What to do about a larger one. */
  readonly advice?: string;
}

/**
 * Opens a file that somebody else wrote, for reading. Anything but a regular file is a UserError and never waited for:
 * a pipe has no end, a device may have none. So is a file that cannot be read.
 */
export async function openFile(path: string, what: string): Promise<FileHandle> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const file = await attempt(path, what, () => open(path, flags));
  if (await file.stat().then((status) => status.isFile())) return file;
  await file.close();
  throw new UserError(`${path}: expected ${what}, found something that is not a regular file`);
}

/**
 * Reads a whole file that somebody else wrote. One above the limit is a UserError before it costs memory, as is whatever
 * `openFile` refuses.
 */
export async function readFileWithin(path: string, expected: Expected): Promise<Buffer<ArrayBuffer>> {
  const { what, maxBytes, advice } = expected;
  await using file = await openFile(path, what);
  const { size } = await file.stat();
  // A size that was told is believed when it is too large, so that nothing need be read.
  const found = size > maxBytes ? undefined : await attempt(path, what, () => readAtMost(file, maxBytes + 1));
  if (found !== undefined && found.length <= maxBytes) return found;
  const remedy = advice === undefined ? "" : `; ${advice}`;
  throw new UserError(`${path}: expected ${what}, found more than ${inWords(maxBytes)}${remedy}`);
}

/** Reads a whole file as `readFileWithin` does, as text; what is not UTF-8 is a UserError too. */
export async function readTextWithin(path: string, expected: Expected): Promise<string> {
  const bytes = await readFileWithin(path, expected);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`${path}: expected ${expected.what}, found bytes that are not UTF-8`, { cause });
  }
}

/** Reads a file up to the limit, and leaves what is behind it unread; refuses what `openFile` refuses. */
export async function readBeginning(path: string, { what, maxBytes }: Expected): Promise<Buffer<ArrayBuffer>> {
  await using file = await openFile(path, what);
  return await attempt(path, what, () => readAtMost(file, maxBytes));
}

/** The read itself is bounded, so that a file which grows meanwhile, or tells no size, is too. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer<ArrayBuffer>> {
  const { size } = await file.stat();
  // One byte more than it tells, so that its end is seen by the same read.
  let buffer = Buffer.alloc(Math.min(limit, size + 1));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (bytesRead === 0 || length === limit) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(limit, 2 * length));
  }
}

async function attempt<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new UserError(`${path}: ${reasonOf(cause)}; expected ${what}`, { cause });
  }
}

function inWords(bytes: number): string {
  if (bytes >= 2 ** 30) return `${Math.floor(bytes / 2 ** 30)} GiB`;
  return bytes >= 2 ** 20 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${bytes} bytes`;
}
