import type { Header, TensorInfo } from "./safetensors-header.ts";
import type { FilePlace, WeightFile } from "./weight-file.ts";

/** A file of weights of which some tensors go by other names. */
export class RenamedFile implements WeightFile {
  readonly path: string;
  readonly header: Header;
  readonly #file: WeightFile;
  /** The names in the file by those that are asked for. */
  readonly #stored: ReadonlyMap<string, string>;

  /** `names` has the new ones by those in the file, which is closed with this. */
  constructor(file: WeightFile, names: ReadonlyMap<string, string>) {
    const renamed = (tensor: TensorInfo): TensorInfo => ({ ...tensor, name: names.get(tensor.name) ?? tensor.name });
    this.path = file.path;
    this.header = { ...file.header, tensors: file.header.tensors.map(renamed) };
    this.#file = file;
    this.#stored = new Map(Array.from(names, ([stored, name]) => [name, stored]));
  }

  read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#file.read(this.#stored.get(name) ?? name, into);
  }

  part(name: string, start: number, bytes: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return this.#file.part(this.#stored.get(name) ?? name, start, bytes, into);
  }

  placeOf(name: string): FilePlace | undefined {
    return this.#file.placeOf?.(this.#stored.get(name) ?? name);
  }

  stamp(name: string): Promise<string | undefined> {
    return this.#file.stamp(this.#stored.get(name) ?? name);
  }

  checkUnchanged(): Promise<void> {
    return this.#file.checkUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }
}
