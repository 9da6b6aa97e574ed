import type { FileHandle } from "node:fs/promises";
import { checkVersion, type FileVersion, stampOf, versionOf } from "../files/file-version.ts";
import { openFile } from "../files/read-file.ts";
import { readRange } from "./pieces.ts";
import {
  LENGTH_BYTES,
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
  type StoredTensor,
} from "./safetensors-header.ts";
import type { FilePlace } from "./weight-file.ts";

/** One open .safetensors file whose header has been checked against its size. */
export class SafetensorsFile implements AsyncDisposable {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #handle: FileHandle;
  readonly #version: FileVersion;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  /** Reads the header only; a UserError when there is no such file or its header is not sound. */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await openFile(path, "weights in safetensors");
    try {
      const version = await versionOf(handle, path);
      const size = Number(version.bytes);
      const prefix = await readRange(handle, path, 0, Math.min(LENGTH_BYTES, size));
      const length = readHeaderLength(prefix, path, size);
      const header = parseHeader(await readRange(handle, path, LENGTH_BYTES, length), path, size);
      return new SafetensorsFile(version, header);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(version: FileVersion, header: SafetensorsHeader) {
    this.path = version.path;
    this.header = header;
    this.#version = version;
    this.#handle = version.handle;
    this.#tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  /** The whole tensor. */
  read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { start, bytes } = this.#tensorOf(name);
    return readRange(this.#handle, this.path, start, bytes, { into });
  }

  /** Some bytes of a tensor, from its byte `start` on. */
  part(name: string, start: number, bytes: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return readRange(this.#handle, this.path, this.#tensorOf(name).start + start, bytes, { into });
  }

  placeOf(name: string): FilePlace {
    return { path: this.path, descriptor: this.#handle.fd, start: this.#tensorOf(name).start };
  }

  stamp(): Promise<string | undefined> {
    return stampOf(this.#handle);
  }

  checkUnchanged(): Promise<void> {
    return checkVersion(this.#version);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  #tensorOf(name: string): StoredTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`${this.path} has no tensor ${name}`);
    return tensor;
  }
}
