import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, writeFileSync } from "node:fs";
import { UserError } from "../errors.ts";
import { explainFailure } from "../files/durable-write.ts";
import { checksum } from "./record-line.ts";
import type { NumbersRef } from "./records.ts";
import { openRegularFile, readAt, readingRegularFile } from "../files/regular-file.ts";

/** Writer of a journal's side file: numbers as float64 in the byte order of the machine, without a header. */
export class NumbersFile implements Disposable {
  readonly #descriptor: number;
  #bytes: number;
  #isOnDisk = true;

  /** Opens the file and cuts off what lies behind `bytes`; a shorter file is a UserError. */
  static open(path: string, bytes: number): NumbersFile {
    const descriptor = openRegularFile(path, constants.O_WRONLY | constants.O_APPEND);
    const { size } = fstatSync(descriptor);
    if (size < bytes) {
      closeSync(descriptor);
      throw new UserError(`${path} is cut short: expected ${bytes} bytes, found ${size}; restore it from a copy`);
    }
    ftruncateSync(descriptor, bytes);
    return new NumbersFile(descriptor, bytes);
  }

  private constructor(descriptor: number, bytes: number) {
    this.#descriptor = descriptor;
    this.#bytes = bytes;
  }

  /** Length of the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds numbers; a record may name them once they are on the disk (`sync`). */
  append(numbers: Float64Array): NumbersRef {
    const content = bytesOf(numbers);
    this.#isOnDisk = false;
    writeFileSync(this.#descriptor, content);
    const reference = { offset: this.#bytes, count: numbers.length, checksum: checksum(content) };
    this.#bytes += content.length;
    return reference;
  }

  /** All that was added is on the disk when this returns. */
  sync(): void {
    if (!this.#isOnDisk) fsyncSync(this.#descriptor);
    this.#isOnDisk = true;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}

/** Reads numbers back; a UserError when they are not those that were written. */
export function readNumbers(path: string, { offset, count, checksum: expected }: NumbersRef): Float64Array {
  const length = count * Float64Array.BYTES_PER_ELEMENT;
  // Not before the file is known to have them: a reference is a claim, too.
  const content = explainFailure(path, () =>
    readingRegularFile(path, (descriptor, size) => readAt(descriptor, offset, offset + length > size ? 0 : length)),
  );
  if (content.length !== length || checksum(content) !== expected) {
    throw new UserError(`${path}: the ${count} numbers at byte ${offset} are damaged; restore the file from a copy`);
  }
  return new Float64Array(content.buffer, content.byteOffset, count);
}

/** Reads points of the unit cube back; a UserError where a number is no coordinate of one. */
export function readPoints(path: string, ref: NumbersRef): Float64Array {
  const points = readNumbers(path, ref);
  const fault = points.findIndex((value) => !(value >= 0 && value <= 1));
  if (fault === -1) return points;
  const at = ref.offset + fault * Float64Array.BYTES_PER_ELEMENT;
  const found = `expected a coordinate from 0 to 1, found ${points[fault]}`;
  throw new UserError(`${path}: the number at byte ${at}: ${found}; restore the file from a copy or start a new run`);
}

function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
