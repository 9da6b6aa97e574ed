import { UserError } from "../../errors.ts";
import type { Dtype } from "../../tensor/dtype.ts";
import { joinedStamps } from "../../files/file-version.ts";
import { firstNonFinite } from "../../tensor/finite.ts";
import { fromFloat32, toFloat32 } from "../../tensor/half.ts";
import { addLowRank, addScaled, transposed } from "../../tensor/low-rank.ts";
import { putInto } from "../pieces.ts";
import type { Header, TensorInfo } from "../safetensors-header.ts";
import type { FilePlace, WeightFile } from "../weight-file.ts";
import type { LowRankChange, TensorChange } from "./tensor-change.ts";

/** An adapter's open file, and what it does to which tensors of its base. */
export interface OpenAdapter {
  readonly file: WeightFile;
  readonly changes: ReadonlyMap<string, TensorChange>;
}

/**
 * A file of a base as an adapter changes it: the same tensors, of which those that are changed are computed when they are
 * read and nowhere kept. So it is a file of weights like any other, and the sum of a tensor tells both of its origins apart.
 */
export class AdaptedFile implements WeightFile {
  readonly path: string;
  readonly header: Header;
  readonly #base: WeightFile;
  readonly #adapter: OpenAdapter;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;

  /** Closes the base's file with itself, and the adapter's not. */
  constructor(base: WeightFile, adapter: OpenAdapter) {
    this.path = adapter.file.path;
    this.header = base.header;
    this.#base = base;
    this.#adapter = adapter;
    this.#tensors = new Map(base.header.tensors.map((tensor) => [tensor.name, tensor]));
  }

  async read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const change = this.#adapter.changes.get(name);
    if (!change) return this.#base.read(name, into);
    return putInto(into, await this.#changed(this.#infoOf(name), await this.#base.read(name), change));
  }

  async part(
    name: string,
    start: number,
    bytes: number,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#adapter.changes.has(name)) return this.#base.part(name, start, bytes, into);
    return putInto(into, (await this.read(name)).slice(start, start + bytes));
  }

  placeOf(name: string): FilePlace | undefined {
    return this.#adapter.changes.has(name) ? undefined : this.#base.placeOf?.(name);
  }

  stamp(name: string): Promise<string | undefined> {
    const files = this.#adapter.changes.has(name) ? [this.#base, this.#adapter.file] : [this.#base];
    return joinedStamps(files.map((file) => file.stamp(name)));
  }

  /** Of the base's file; the adapter's is not this one's. */
  checkUnchanged(): Promise<void> {
    return this.#base.checkUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#base[Symbol.asyncDispose]();
  }

  async #changed(
    { dtype }: TensorInfo,
    stored: Uint8Array<ArrayBuffer>,
    { replacement, products, bias }: TensorChange,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const values =
      replacement === undefined ? toFloat32(stored, dtype) : rounded(await this.#values(replacement), dtype);
    for (const [i, product] of products.entries()) {
      if (i > 0) values.set(rounded(values, dtype));
      await this.#addProduct(values, product, dtype);
    }
    if (bias) addScaled(values, await this.#values(bias.tensor), bias.scale);
    return fromFloat32(values, dtype);
  }

  async #addProduct(matrix: Float32Array, change: LowRankChange, dtype: Dtype): Promise<void> {
    const [a, b] = [await this.#values(change.a), await this.#values(change.b)];
    const [rank = 1] = this.#shapeOf(change.a);
    const [outputs = 1] = this.#shapeOf(change.b);
    const { scale, isTransposed, isRoundedFirst, magnitude } = change;
    const lengths = magnitude === undefined ? undefined : await this.#values(magnitude);
    await addLowRank(matrix, {
      left: isTransposed ? transposed(a, rank) : b,
      right: isTransposed ? transposed(b, outputs) : a,
      rank,
      scale,
      roundedTo: isRoundedFirst ? dtype : "f32",
      magnitude: lengths && { values: lengths, of: isTransposed ? "columns" : "rows" },
    });
  }

  /** A tensor of the adapter. */
  async #values(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { file } = this.#adapter;
    const bytes = await file.read(name);
    const dtype = file.header.tensors.find((tensor) => tensor.name === name)?.dtype ?? "f32";
    if (firstNonFinite(bytes, dtype) >= 0)
      throw new UserError(`${file.path}: tensor ${name} holds NaN or infinite numbers; use another adapter`);
    return toFloat32(bytes, dtype);
  }

  #shapeOf(name: string): readonly number[] {
    return this.#adapter.file.header.tensors.find((tensor) => tensor.name === name)?.shape ?? [];
  }

  #infoOf(name: string): TensorInfo {
    const info = this.#tensors.get(name);
    if (!info) throw new Error(`${this.path}: the base has no tensor ${name}`);
    return info;
  }
}

/** As peft rounds a replacement of another type when it loads it, and what it has added to, before anything more is added. */
function rounded(values: Float32Array, dtype: Dtype): Float32Array {
  return toFloat32(fromFloat32(values, dtype), dtype);
}
