import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { UserError } from "../errors.ts";

/** Some 20 ms of SHA-256, and far below the 2^31 bytes at which a single read makes Node abort. */
const PIECE_BYTES = 2 ** 23;

export interface ReadOptions {
  /** Where they go, of their very length; memory of their own unless given. */
  readonly into?: Uint8Array<ArrayBuffer> | undefined;
  readonly pieceBytes?: number | undefined;
}

/** Reads `bytes` bytes from position `start`; a UserError when the file ends before. */
export async function readRange(
  handle: FileHandle,
  path: string,
  start: number,
  bytes: number,
  { into, pieceBytes = PIECE_BYTES }: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const target = into ?? allocate(path, bytes);
  if (target.length !== bytes) throw new Error(`${path}: ${bytes} bytes do not go into ${target.length}`);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(target, done, Math.min(pieceBytes, bytes - done), start + done);
    if (bytesRead === 0)
      throw new UserError(
        `${path}: expected bytes up to ${start + bytes}, found the end at ${start + done}; it was cut while open`,
      );
    done += bytesRead;
  }
  return target;
}

/** Bytes that were made, where they are to go. */
export function putInto(
  into: Uint8Array<ArrayBuffer> | undefined,
  made: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (!into) return made;
  into.set(made);
  return into;
}

/** `hash.update` for arrays of any size, in pieces between which the event loop gets its turn. */
export async function updateHash(hash: Hash, bytes: Uint8Array, pieceBytes: number = PIECE_BYTES): Promise<void> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    if (start > 0) await setImmediate();
    hash.update(bytes.subarray(start, start + pieceBytes));
  }
}

function allocate(path: string, bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new UserError(`${path}: not enough memory to read ${bytes} bytes at once`, { cause });
  }
}
