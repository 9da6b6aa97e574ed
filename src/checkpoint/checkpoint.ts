import { UserError } from "../errors.ts";
import type { JsonObject } from "../files/json-object.ts";
import type { JoinedHeaders } from "./join-headers.ts";
import { KnownTensors, type TensorRefusal } from "./known-tensors.ts";
import { closeAll, listFolder, type NamesOf, openAdapted, openFull, type OpenWeights } from "./open-weights.ts";
import type { TensorInfo } from "./safetensors-header.ts";
import { sha256OfTensor } from "./tensor-hashes.ts";
import { putInto } from "./pieces.ts";
import { rowsOfTensor } from "./rows-of-tensor.ts";
import type { FilePlace, WeightFile } from "./weight-file.ts";
import { isAdapter, isTorchName, refuseAdapter } from "./weight-files.ts";
import { tensorLine, WeightsDigest } from "./weights-digest.ts";

export type { TensorInfo } from "./safetensors-header.ts";

/** What is opened beside the folder. */
interface OpenOptions {
  /** Folder of the full model that an adapter is opened as a change of. */
  readonly base?: string | undefined;
  /** Every tensor keeps its name unless given. */
  readonly namesOf?: NamesOf | undefined;
}

/** A Hugging Face model folder open for reading: config.json and weights, in one file or in shards. */
export class Checkpoint implements AsyncDisposable {
  readonly folder: string;
  /** Parsed config.json; that of its base where it is an adapter. */
  readonly config: JsonObject;
  readonly isAdapter: boolean;
  /** Whether its config.json or its tensors are not those of its files. */
  readonly isView: boolean;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly others: JoinedHeaders["others"];
  readonly disagreements: JoinedHeaders["disagreements"];
  readonly #files: readonly WeightFile[];
  readonly #adapter: WeightFile | undefined;
  readonly #places: ReadonlyMap<string, { readonly file: WeightFile; readonly tensor: TensorInfo }>;
  readonly #known = new KnownTensors();
  /** Those that tensors had before they were last hashed. */
  readonly #stamps = new Map<string, string>();
  #bytesRead = 0;

  /**
   * Reads config.json and every header, no weights; a UserError names what is missing or not sound. An adapter is opened as
   * what it makes of `base`.
   */
  static async open(folder: string, { base, namesOf }: OpenOptions = {}): Promise<Checkpoint> {
    const names = await listFolder(folder);
    if (!isAdapter(names)) return new Checkpoint(folder, await openFull(folder, names, namesOf));
    if (base === undefined) throw new UserError(refuseAdapter(folder));
    const full = await openFull(base, await listFolder(base), namesOf);
    return new Checkpoint(folder, await openAdapted(folder, names, full));
  }

  private constructor(folder: string, { config, files, joined, adapter }: OpenWeights, isView = false) {
    this.folder = folder;
    this.isView = isView;
    this.config = config;
    this.isAdapter = adapter !== undefined;
    this.#files = files;
    this.#adapter = adapter;
    this.tensors = joined.tensors;
    this.others = joined.others;
    this.disagreements = joined.disagreements;
    this.#places = new Map(
      files.flatMap((file) => file.header.tensors.map((tensor) => [tensor.name, { file, tensor }])),
    );
  }

  /**
   * The same weights as another model has them: with another config.json, and files behind which these are. They stay this
   * checkpoint's, which is to be closed, and what is known of tensors is told anew.
   */
  through(config: JsonObject, view: (file: WeightFile) => WeightFile): Checkpoint {
    const files = this.#files.map(view);
    const { others, disagreements } = this;
    const tensors = new Map(files.flatMap(({ header }) => header.tensors.map((tensor) => [tensor.name, tensor])));
    const adapter = this.#adapter && { adapter: this.#adapter };
    return new Checkpoint(this.folder, { config, files, joined: { tensors, others, disagreements }, ...adapter }, true);
  }

  /** Whether weights of it are files of torch.save. */
  get isPickled(): boolean {
    return this.#files.some(({ path }) => isTorchName(path));
  }

  /** Bytes of tensors read so far; headers do not count. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** What the tensors held that were read or expected: a `tensorLine` by name. */
  get known(): ReadonlyMap<string, string> {
    return this.#known.lines;
  }

  /** What files had that tensors are made from, before these were hashed last: those that have it still are not hashed again. */
  get stamps(): ReadonlyMap<string, string> {
    return this.#stamps;
  }

  /**
   * Tells what an earlier process found in tensors, and another one of this machine in files with these stamps. From then on it is a
   * UserError to read anything else in them.
   */
  expect(
    known: Iterable<readonly [name: string, line: string]>,
    refusal?: TensorRefusal,
    stamps: ReadonlyMap<string, string> = new Map(),
  ): void {
    const lines = [...known];
    for (const [name] of lines) {
      const stamp = stamps.get(name);
      if (stamp === undefined) this.#stamps.delete(name);
      else this.#stamps.set(name, stamp);
    }
    this.#known.expect(lines, refusal);
  }

  /**
   * Bytes of a whole tensor as stored, little-endian, in memory of their own unless they are to go somewhere. They are hashed
   * when they are first read, and again once anything about their files has changed; a UserError when they are not those of an
   * earlier reading.
   */
  async read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { file, tensor } = this.#placeOf(name);
    const known = this.#stamps.get(name);
    const stamp = known ?? (await file.stamp(name));
    const bytes = await file.read(name, into);
    this.#bytesRead += tensor.bytes;
    if (known !== undefined) {
      // Asked for behind the bytes: who writes changes the time first.
      if (known === (await file.stamp(name))) return bytes;
      this.#stamps.delete(name);
      return this.read(name, into);
    }
    this.#known.meet(file.path, name, tensorLine(tensor, await sha256OfTensor(bytes)));
    if (stamp !== undefined) this.#stamps.set(name, stamp);
    return bytes;
  }

  /** Whether `readRows` reads hardly more than the rows: the tensor was hashed, and its bytes lie in a file as they are. */
  canReadRows(name: string): boolean {
    return this.#stamps.has(name) && this.placeOf(name) !== undefined;
  }

  /**
   * Some rows of a tensor, which are given in ascending order, as `read` has them: one behind the other, in memory of their own unless they
   * are to go somewhere. No hash tells a part of a tensor from another, so they are those of the bytes that were hashed as long as
   * nothing about their files has changed; where that cannot be told, the whole tensor is read.
   */
  async readRows(name: string, rows: Int32Array, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { file, tensor } = this.#placeOf(name);
    const rowBytes = tensor.bytes / (tensor.shape[0] ?? 1);
    const known = this.#stamps.get(name);
    if (known !== undefined && this.placeOf(name)) {
      const part = (start: number, bytes: number, to?: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
        this.#bytesRead += bytes;
        return file.part(name, start, bytes, to);
      };
      const bytes = await rowsOfTensor(rows, { rowBytes, part, into });
      if (known === (await file.stamp(name))) return bytes;
      this.#stamps.delete(name);
    }
    const whole = await this.read(name);
    const part = async (start: number, bytes: number, to?: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
      putInto(to, whole.subarray(start, start + bytes));
    return rowsOfTensor(rows, { rowBytes, part, into });
  }

  /** By which later bytes of a tensor are the same ones; undefined where that cannot be told yet. */
  stamp(name: string): Promise<string | undefined> {
    return this.#placeOf(name).file.stamp(name);
  }

  /** Where the bytes of a tensor lie in an open file, for whoever reads them there; undefined where `read` makes them. */
  placeOf(name: string): FilePlace | undefined {
    const { file } = this.#placeOf(name);
    return file.placeOf?.(name);
  }

  /** Some bytes of a tensor from its byte `start` on, for a first look: nothing is learnt from them. */
  peek(name: string, start: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#placeOf(name).file.part(name, start, bytes);
  }

  /** Bytes of the tensors that are expected and were not read yet. */
  get unreadBytes(): number {
    return Array.from(this.#known.unread).reduce((sum, name) => sum + (this.tensors.get(name)?.bytes ?? 0), 0);
  }

  /** Reads the tensors that are expected and were not read yet; a UserError when one is not what it was. */
  async checkUnread(): Promise<void> {
    for (const name of this.#known.unread) await this.read(name);
  }

  /** Identity of the weights, however they are divided into files: reads them all. */
  async weightsDigest(): Promise<string> {
    const digest = new WeightsDigest();
    for (const name of this.tensors.keys()) {
      await this.read(name);
      digest.addLine(name, this.#known.lines.get(name) ?? "");
    }
    return digest.digest();
  }

  /** A UserError where a file of weights was written to since it was opened: for whoever does not read twice. */
  async checkUnchanged(): Promise<void> {
    for (const file of this.#open) await file.checkUnchanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#open);
  }

  get #open(): readonly WeightFile[] {
    return this.#adapter ? [...this.#files, this.#adapter] : this.#files;
  }

  #placeOf(name: string): { readonly file: WeightFile; readonly tensor: TensorInfo } {
    const place = this.#places.get(name);
    if (!place) throw new Error(`${this.folder} has no tensor ${name}`);
    return place;
  }
}
