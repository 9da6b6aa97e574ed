import type { FileHandle } from "node:fs/promises";
import { checkVersion, type FileVersion, stampOf, versionOf } from "../../files/file-version.ts";
import { openFile } from "../../files/read-file.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { putInto, readRange } from "../pieces.ts";
import type { Header } from "../safetensors-header.ts";
import { gatherElements, isContiguous, spanOf } from "./strided.ts";
import type { FilePlace } from "../weight-file.ts";
import type { TorchView } from "./pickle-values.ts";
import { headerOf } from "./torch-content.ts";
import { readTorchContent } from "./torch-header.ts";

/** One open file of `torch.save`: a state dict, such as pytorch_model.bin, none of whose code is ever run. */
export class TorchFile implements AsyncDisposable {
  readonly path: string;
  readonly header: Header;
  readonly #handle: FileHandle;
  readonly #version: FileVersion;
  readonly #views: ReadonlyMap<string, TorchView>;
  /** Position of the first byte of each storage, by its key. */
  readonly #places: ReadonlyMap<string, number>;

  /** Reads what the file says of its tensors; a UserError when there is no such file or it is not sound. */
  static async open(path: string): Promise<TorchFile> {
    const handle = await openFile(path, "weights of torch.save");
    try {
      const version = await versionOf(handle, path);
      const read = (start: number, length: number): Promise<Uint8Array> => readRange(handle, path, start, length);
      const { views, place } = await readTorchContent({ path, bytes: Number(version.bytes), read });
      return new TorchFile(version, { views, places: await place() });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(
    version: FileVersion,
    { views, places }: { readonly views: ReadonlyMap<string, TorchView>; readonly places: ReadonlyMap<string, number> },
  ) {
    this.path = version.path;
    this.header = headerOf(views);
    this.#version = version;
    this.#handle = version.handle;
    this.#views = views;
    this.#places = places;
  }

  /** The whole tensor, row-major. */
  async read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const view = this.#viewOf(name);
    if (!isContiguous(view)) return putInto(into, await this.#gather(view));
    const { start, bytes } = this.#spanOf(view);
    return readRange(this.#handle, this.path, start, bytes, { into });
  }

  /** Some bytes of the tensor, from byte `start` on. */
  async part(
    name: string,
    start: number,
    bytes: number,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const view = this.#viewOf(name);
    if (!isContiguous(view)) return putInto(into, (await this.#gather(view)).slice(start, start + bytes));
    return readRange(this.#handle, this.path, this.#spanOf(view).start + start, bytes, { into });
  }

  /** Of a tensor that is contiguous. */
  placeOf(name: string): FilePlace | undefined {
    const view = this.#viewOf(name);
    if (!isContiguous(view)) return undefined;
    return { path: this.path, descriptor: this.#handle.fd, start: this.#spanOf(view).start };
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

  async #gather(view: TorchView): Promise<Uint8Array<ArrayBuffer>> {
    const { start, bytes } = this.#spanOf(view);
    return gatherElements(await readRange(this.#handle, this.path, start, bytes), view);
  }

  /** From the first to the last byte of a tensor in the file. */
  #spanOf(view: TorchView): { readonly start: number; readonly bytes: number } {
    const { storage, offset, shape } = view;
    const elements = isContiguous(view) ? elementCount(shape) : spanOf(view);
    const start = (this.#places.get(storage.key) ?? 0) + offset * storage.elementBytes;
    return { start, bytes: elements * storage.elementBytes };
  }

  #viewOf(name: string): TorchView {
    const view = this.#views.get(name);
    if (!view) throw new Error(`${this.path} has no tensor ${name}`);
    return view;
  }
}
