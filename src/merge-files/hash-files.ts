import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { fillFrom } from "./file-bytes.ts";
import type { HashTask } from "./task.ts";

/** Bytes that are read at once. */
const PIECE_BYTES = 2 ** 18;
/** Pieces after which the event loop gets its turn: some 10 ms. */
const PIECES = 64;

/** The hashes of files that are read from their beginning on while they are written. */
export class FileHashes {
  /** Of what was read so far, by descriptor. */
  readonly #hashes = new Map<number, Hash>();
  readonly #piece = new Uint8Array(PIECE_BYTES);

  /** Reads the next bytes of a file; the sha256 of all so far, in hexadecimal. */
  async add({ place, bytes }: HashTask): Promise<string> {
    const hash = this.#hashes.get(place.descriptor) ?? createHash("sha256");
    this.#hashes.set(place.descriptor, hash);
    for (let done = 0, piece = 1; done < bytes; piece += 1) {
      if (piece % PIECES === 0) await setImmediate();
      const read = this.#piece.subarray(0, Math.min(PIECE_BYTES, bytes - done));
      fillFrom(place, done, read);
      hash.update(read);
      done += read.length;
    }
    return hash.copy().digest("hex");
  }
}
