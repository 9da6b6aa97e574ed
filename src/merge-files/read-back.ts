import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { UserError } from "../errors.ts";
import { fillFrom } from "./file-bytes.ts";
import type { TaskResult, ReadTask } from "./task.ts";

/** Bytes that are read at once. */
const PIECE_BYTES = 2 ** 18;
/** Pieces after which the event loop gets its turn: some 10 ms. */
const PIECES = 64;

/** Files that are read back from their beginning on while they are written, and compared with what was written. */
export class FilesReadBack {
  /** Of what was read so far, by descriptor. */
  readonly #hashes = new Map<number, Hash>();
  readonly #piece = new Uint8Array(PIECE_BYTES);

  /** Reads the next bytes of a file; a UserError where they are not those that were written. */
  async read({ path, descriptor, start, bytes, crc32: expected }: ReadTask): Promise<TaskResult> {
    const hash = this.#hashes.get(descriptor) ?? createHash("sha256");
    this.#hashes.set(descriptor, hash);
    let sum = 0;
    for (let done = 0, piece = 1; done < bytes; piece += 1) {
      if (piece % PIECES === 0) await setImmediate();
      const read = this.#piece.subarray(0, Math.min(PIECE_BYTES, bytes - done));
      fillFrom({ path, descriptor, start }, done, read);
      hash.update(read);
      sum = crc32(read, sum);
      done += read.length;
    }
    if (sum !== expected)
      throw new UserError(
        `${path}: bytes ${start} to ${start + bytes} are not those that were written there; check the disk and merge again`,
      );
    return { sha256: hash.copy().digest("hex"), crc32: sum, parents: [] };
  }
}
