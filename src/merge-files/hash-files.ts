import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { BorrowedMemory } from "../tensor/wasm/borrowed-memory.ts";
import { byteSum, sumOf } from "../tensor/wasm/byte-sum.ts";
import { fillFrom } from "./file-bytes.ts";
import type { HashTask } from "./task.ts";

/** Bytes that are read at once. */
const PIECE_BYTES = 2 ** 18;
/** Pieces after which the event loop gets its turn: some 4 ms. */
const PIECES = 16;

/** The hashes of files that are read from their beginning on while they are written. */
export class FileHashes {
  /** Of what was read so far, by descriptor. */
  readonly #hashes = new Map<number, Hash>();
  readonly #piece = new BorrowedMemory(byteSum, PIECE_BYTES);

  /** Reads the next bytes of a file; the sha256 of all so far, in hexadecimal. A UserError where they are not what was written. */
  async add({ place, bytes, sum: written }: HashTask): Promise<string> {
    const hash = this.#hashes.get(place.descriptor) ?? createHash("sha256");
    this.#hashes.set(place.descriptor, hash);
    let sum = 0;
    for (let done = 0, piece = 1; done < bytes; piece += 1) {
      if (piece % PIECES === 0) await setImmediate();
      const read = this.#piece.bytes.subarray(0, Math.min(PIECE_BYTES, bytes - done));
      fillFrom(place, done, read);
      hash.update(read);
      sum = sumOf(read, this.#piece.run, sum);
      done += read.length;
    }
    if (sum === written) return hash.copy().digest("hex");
    const { path, start } = place;
    throw new UserError(
      `${path}: bytes ${start} to ${start + bytes} are not those that were written there; check the disk and merge again`,
    );
  }
}
