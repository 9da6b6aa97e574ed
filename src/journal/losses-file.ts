import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, writeFileSync } from "node:fs";
import { UserError } from "../errors.ts";
import { explainFailure } from "../files/durable-write.ts";
import { checksum } from "./record-line.ts";
import type { LossesRef } from "./records.ts";
import { openRegularFile, readAt, readingRegularFile } from "../files/regular-file.ts";

/** Writer of a journal's side file: losses per row as float64 in the byte order of the machine, without a header. */
export class LossesFile implements Disposable {
  readonly #descriptor: number;
  #bytes: number;

  /** Opens the file and cuts off what lies behind `bytes`; a shorter file is a UserError. */
  static open(path: string, bytes: number): LossesFile {
    const descriptor = openRegularFile(path, constants.O_WRONLY | constants.O_APPEND);
    const { size } = fstatSync(descriptor);
    if (size < bytes) {
      closeSync(descriptor);
      throw new UserError(`${path} is cut short: expected ${bytes} bytes, found ${size}; restore it from a copy`);
    }
    ftruncateSync(descriptor, bytes);
    return new LossesFile(descriptor, bytes);
  }

  private constructor(descriptor: number, bytes: number) {
    this.#descriptor = descriptor;
    this.#bytes = bytes;
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds losses; they are on the disk when this returns, so a record may name them. */
  append(losses: Float64Array): LossesRef {
    const content = bytesOf(losses);
    writeFileSync(this.#descriptor, content);
    fsyncSync(this.#descriptor);
    const reference = { offset: this.#bytes, count: losses.length, checksum: checksum(content) };
    this.#bytes += content.length;
    return reference;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

/** Reads losses back; a UserError when they are not those that were written. */
export function readLosses(path: string, { offset, count, checksum: expected }: LossesRef): Float64Array {
  const length = count * Float64Array.BYTES_PER_ELEMENT;
  // Not before the file is known to have them: a reference is a claim, too.
  const content = explainFailure(path, () =>
    readingRegularFile(path, (descriptor, size) => readAt(descriptor, offset, offset + length > size ? 0 : length)),
  );
  if (content.length !== length || checksum(content) !== expected) {
    throw new UserError(`${path}: the ${count} losses at byte ${offset} are damaged; restore the file from a copy`);
  }
  return new Float64Array(content.buffer, content.byteOffset, count);
}

function bytesOf(losses: Float64Array): Uint8Array {
  return new Uint8Array(losses.buffer, losses.byteOffset, losses.byteLength);
}
