import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { UserError } from "../errors.ts";

/** Some 20 ms of SHA-256, and far below the 2^31 bytes at which a single read makes Node abort. */
const PIECE_BYTES = 2 ** 23;

/** What looks at bytes in their order, such as a hash. */
export interface Watch {
  update(bytes: Uint8Array): void;
}

/** What becomes of bytes that are read. */
export interface TensorReading {
  /** Told the bytes: each piece while the next one is read. */
  readonly watch?: Watch | undefined;
  /** Where they go, of their very length; memory of their own unless given. */
  readonly into?: Uint8Array<ArrayBuffer> | undefined;
}

export interface ReadOptions extends TensorReading {
  readonly pieceBytes?: number | undefined;
}

/** Reads `bytes` bytes from position `start`; a UserError when the file ends before. */
export async function readRange(
  handle: FileHandle,
  path: string,
  start: number,
  bytes: number,
  { watch, into, pieceBytes = PIECE_BYTES }: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const target = into ?? allocate(path, bytes);
  if (target.length !== bytes) throw new Error(`${path}: ${bytes} bytes do not go into ${target.length}`);
  let watched = 0;
  let done = 0;
  while (done < bytes) {
    const reading = handle.read(target, done, Math.min(pieceBytes, bytes - done), start + done);
    watch?.update(target.subarray(watched, done));
    watched = done;
    const { bytesRead } = await reading;
    if (bytesRead === 0)
      throw new UserError(
        `${path}: expected bytes up to ${start + bytes}, found the end at ${start + done}; it was cut while open`,
      );
    done += bytesRead;
  }
  watch?.update(target.subarray(watched));
  return target;
}

/** The same of bytes that were made: they are watched, and copied where they are to go. */
export async function hand(
  made: Uint8Array<ArrayBuffer>,
  { watch, into }: TensorReading,
): Promise<Uint8Array<ArrayBuffer>> {
  if (watch) await updateHash(watch, made);
  if (!into) return made;
  into.set(made);
  return into;
}

/** `hash.update` for arrays of any size, in pieces between which the event loop gets its turn. */
export async function updateHash(hash: Watch, bytes: Uint8Array, pieceBytes: number = PIECE_BYTES): Promise<void> {
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
