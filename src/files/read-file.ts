import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** What a file is expected to be, and how large it may be; a larger one is the wrong file, not worth the memory. */
export interface Expected {
  /** For the error, such as "a tokenizer.json". */
  readonly what: string;
  readonly maxBytes: number;
}

/**
 * Reads a whole file that somebody else wrote. Anything but a regular file, such as a pipe that would never end, and a
 * file above the limit are UserErrors before they cost memory; so is a file that cannot be read.
 */
export async function readFileWithin(path: string, { what, maxBytes }: Expected): Promise<Buffer<ArrayBuffer>> {
  const found = await readAtMost(path, maxBytes + 1).catch((cause: unknown) => {
    throw new UserError(`${path}: ${reasonOf(cause)}; expected ${what}`, { cause });
  });
  if (found === "no file") throw new UserError(`${path}: expected ${what}, found something that is not a regular file`);
  if (found.length > maxBytes) throw new UserError(`${path}: expected ${what}, found more than ${inWords(maxBytes)}`);
  return found;
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

/** The read itself is bounded, so that a file which grows meanwhile, or tells no size, is too. */
async function readAtMost(path: string, limit: number): Promise<Buffer<ArrayBuffer> | "no file"> {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const status = await file.stat();
  if (!status.isFile()) return "no file";
  // One byte more than it tells, so that its end is seen by the same read.
  let buffer = Buffer.alloc(Math.min(limit, status.size + 1));
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    length += bytesRead;
    if (bytesRead === 0 || length === limit) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(limit, 2 * length));
  }
}

function inWords(bytes: number): string {
  return bytes >= 2 ** 20 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${bytes} bytes`;
}
