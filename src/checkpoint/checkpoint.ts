import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readJsonObject, type JsonObject } from "../files/json-object.ts";
import { AdaptedFile } from "./adapter/adapted-file.ts";
import { openAdapter } from "./adapter/open-adapter.ts";
import { joinHeaders, type JoinedHeaders, renameTensors } from "./join-headers.ts";
import { KnownTensors, type TensorRefusal } from "./known-tensors.ts";
import { RenamedFile } from "./renamed-file.ts";
import type { TensorInfo } from "./safetensors-header.ts";
import { readShardIndex } from "./shard-index.ts";
import { openWeightFile, type WeightFile } from "./weight-file.ts";
import {
  findIndex,
  findWeightFiles,
  INDEX_FILE,
  isAdapter,
  isTorchName,
  refuseAdapter,
  SINGLE_FILE,
  whyUnreadable,
} from "./weight-files.ts";
import { tensorLine, WeightsDigest } from "./weights-digest.ts";
import { reasonOf } from "../files/system-error.ts";

export type { TensorInfo } from "./safetensors-header.ts";

/** Says of a folder that is a full model which of its tensors are to go by which other names. */
export type NamesOf = (found: {
  readonly folder: string;
  readonly config: JsonObject;
  readonly tensors: JoinedHeaders["tensors"];
}) => ReadonlyMap<string, string>;

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
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly others: JoinedHeaders["others"];
  readonly disagreements: JoinedHeaders["disagreements"];
  readonly #files: readonly WeightFile[];
  readonly #adapter: WeightFile | undefined;
  readonly #places: ReadonlyMap<string, { readonly file: WeightFile; readonly tensor: TensorInfo }>;
  readonly #known = new KnownTensors();
  #bytesRead = 0;

  /**
   * Reads config.json and every header, no weights; a UserError names what is missing or not sound. An adapter is opened as
   * what it makes of `base`.
   */
  static async open(folder: string, { base, namesOf }: OpenOptions = {}): Promise<Checkpoint> {
    const names = await listFolder(folder);
    if (!isAdapter(names)) return new Checkpoint(folder, await openFull(folder, names, namesOf));
    if (base === undefined) throw new UserError(refuseAdapter(folder));
    return new Checkpoint(
      folder,
      await openAdapted(folder, names, await openFull(base, await listFolder(base), namesOf)),
    );
  }

  private constructor(folder: string, { config, files, joined, adapter }: OpenWeights) {
    this.folder = folder;
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

  /** Tells what an earlier process found in tensors. From then on it is a UserError to read anything else in them. */
  expect(known: Iterable<readonly [name: string, line: string]>, refusal?: TensorRefusal): void {
    this.#known.expect(known, refusal);
  }

  /**
   * Bytes of a whole tensor as stored, little-endian, in their own ArrayBuffer. They are hashed while they are read; a
   * UserError when they are not those of an earlier reading.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const place = this.#placeOf(name);
    const { bytes, sha256 } = await place.file.read(name);
    this.#bytesRead += bytes.length;
    this.#known.meet(place.file.path, name, tensorLine(place.tensor, sha256));
    return bytes;
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

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll([...this.#files, ...(this.#adapter ? [this.#adapter] : [])]);
  }

  #placeOf(name: string): { readonly file: WeightFile; readonly tensor: TensorInfo } {
    const place = this.#places.get(name);
    if (!place) throw new Error(`${this.folder} has no tensor ${name}`);
    return place;
  }
}

/** Names of the files in the folder of a model; a UserError where there is no such folder. */
export async function listFolder(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected a Hugging Face model folder`, { cause });
  }
}

interface OpenWeights {
  readonly config: JsonObject;
  readonly files: readonly WeightFile[];
  readonly joined: JoinedHeaders;
  /** The file of an adapter, which the others are changed by. */
  readonly adapter?: WeightFile;
}

/** The base is closed where the adapter cannot be opened. */
async function openAdapted(folder: string, names: ReadonlySet<string>, base: OpenWeights): Promise<OpenWeights> {
  try {
    const { tensors } = base.joined;
    const adapter = await openAdapter(folder, names, { tensors, modelType: base.config["model_type"] });
    return { ...base, files: base.files.map((file) => new AdaptedFile(file, adapter)), adapter: adapter.file };
  } catch (error) {
    await closeAll(base.files);
    throw error;
  }
}

async function openFull(
  folder: string,
  names: ReadonlySet<string>,
  namesOf: NamesOf = () => new Map(),
): Promise<OpenWeights> {
  if (!names.has("config.json"))
    throw new UserError(`${join(folder, "config.json")}: no such file; expected a Hugging Face model folder`);
  const config = await readJsonObject(join(folder, "config.json"));
  const index = findIndex(names);
  const weightMap = index === undefined ? undefined : await readShardIndex(join(folder, index));
  const found = findWeightFiles(names, weightMap);
  if (!found) throw new UserError(whyNone(folder, names));
  const fault = whyUnreadable(found, new Set([...names, ...(await nested(folder, found.files))]));
  if (fault !== undefined) throw new UserError(join(folder, fault));
  const files = await openAll(folder, found.files);
  const headers = files.map(({ header }, i) => ({ name: found.files[i] ?? "", header }));
  const joined = joinHeaders(headers, weightMap);
  const renamed = namesOf({ folder, config, tensors: joined.tensors });
  if (renamed.size === 0) return { config, files, joined };
  return {
    config,
    files: files.map((file) => new RenamedFile(file, renamed)),
    joined: renameTensors(joined, renamed),
  };
}

/** Those files that are in folders of the folder. */
async function nested(folder: string, files: readonly string[]): Promise<readonly string[]> {
  const found = files.map(async (file) => {
    if (!file.includes("/")) return [];
    return access(join(folder, file)).then(
      () => [file],
      () => [],
    );
  });
  return (await Promise.all(found)).flat();
}

function whyNone(folder: string, names: ReadonlySet<string>): string {
  const pickle = [...names].find((name) => /^pytorch_model.*\.bin$|\.(pt|pth|ckpt)$/.test(name));
  if (pickle !== undefined)
    return `${join(folder, pickle)}: expected weights in ${SINGLE_FILE} or pytorch_model.bin, or shards of these, found a pickle of another name; convert it to safetensors`;
  const [other, ...more] = [...names].filter((name) => name.endsWith(".safetensors")).toSorted();
  const advice =
    more.length === 0
      ? "; rename it if it holds the weights of this model"
      : ` and ${more.length} more, and nothing tells which of them hold this model; download it in full`;
  return `${folder}: no weights; expected ${SINGLE_FILE} or ${INDEX_FILE}${other === undefined ? "" : `, found ${other}${advice}`}`;
}

async function openAll(folder: string, names: readonly string[]): Promise<readonly WeightFile[]> {
  const files: WeightFile[] = [];
  try {
    for (const name of names) files.push(await openWeightFile(join(folder, name)));
    return files;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

async function closeAll(files: readonly WeightFile[]): Promise<void> {
  await Promise.all(files.map((file) => file[Symbol.asyncDispose]()));
}
