import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { openFile } from "../files/read-file.ts";
import { readRange, updateHash } from "./pieces.ts";
import { LENGTH_BYTES, parseHeader, readHeaderLength, type StoredTensor } from "./safetensors-header.ts";

const SAMPLE_BYTES = 2 ** 20;

/** One open .safetensors file whose header has been checked against its size. */
export class SafetensorsFile implements AsyncDisposable {
  readonly path: string;
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
  readonly #handle: FileHandle;
  readonly #headerBytes: number;
  readonly #fileBytes: number;

  /** Reads the header only; a UserError when there is no such file or its header is not sound. */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await openFile(path, "weights in safetensors");
    try {
      const status = await handle.stat();
      const prefix = await readRange(handle, path, 0, Math.min(LENGTH_BYTES, status.size));
      const length = readHeaderLength(prefix, path, status.size);
      const tensors = parseHeader(await readRange(handle, path, LENGTH_BYTES, length), path, status.size);
      return new SafetensorsFile(path, handle, tensors, LENGTH_BYTES + length, status.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(
    path: string,
    handle: FileHandle,
    tensors: readonly StoredTensor[],
    headerBytes: number,
    fileBytes: number,
  ) {
    this.path = path;
    this.tensors = tensors;
    this.#handle = handle;
    this.#headerBytes = headerBytes;
    this.#fileBytes = fileBytes;
  }

  /** The whole tensor, in its own ArrayBuffer. */
  read(tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
    return readRange(this.#handle, this.path, tensor.start, tensor.bytes);
  }

  /** Feeds `hash` with the size, the header, and 1 MiB at the start, in the middle and at the end of the data. */
  async sample(hash: Hash): Promise<void> {
    const dataBytes = this.#fileBytes - this.#headerBytes;
    const sampleBytes = Math.min(SAMPLE_BYTES, dataBytes);
    const lastStart = this.#fileBytes - sampleBytes;
    const middle = Math.floor((this.#headerBytes + lastStart) / 2);
    hash.update(`${this.#fileBytes}\n`);
    await updateHash(hash, await readRange(this.#handle, this.path, 0, this.#headerBytes));
    for (const start of [this.#headerBytes, middle, lastStart])
      await updateHash(hash, await readRange(this.#handle, this.path, start, sampleBytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
