import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readJsonObject, type JsonObject } from "../files/json-object.ts";
import { KnownTensors } from "./known-tensors.ts";
import { SafetensorsFile } from "./safetensors-file.ts";
import type { StoredTensor, TensorInfo } from "./safetensors-header.ts";
import { readShardIndex, type WeightMap } from "./shard-index.ts";
import { tensorLine, WeightsDigest } from "./weights-digest.ts";
import { showUntrusted as show } from "../files/show-untrusted.ts";
import { reasonOf } from "../files/system-error.ts";

export type { TensorInfo } from "./safetensors-header.ts";

/** Holds all weights of an unsharded model. */
export const SINGLE_FILE = "model.safetensors";
/** Maps the tensors of a sharded model to its files. */
export const INDEX_FILE = "model.safetensors.index.json";

/** A Hugging Face model folder open for reading: config.json and safetensors weights, in one file or in shards. */
export class Checkpoint implements AsyncDisposable {
  readonly folder: string;
  /** Parsed config.json. */
  readonly config: JsonObject;
  /** In the order of their bytes on disk, file by file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly #files: readonly SafetensorsFile[];
  readonly #places: ReadonlyMap<string, { readonly file: SafetensorsFile; readonly tensor: StoredTensor }>;
  readonly #known = new KnownTensors();
  #bytesRead = 0;

  /** Reads config.json and every header, no weights; a UserError names what is missing or not sound. */
  static async open(folder: string): Promise<Checkpoint> {
    const names = await listFolder(folder);
    if (!names.has("config.json"))
      throw new UserError(`${join(folder, "config.json")}: no such file; expected a Hugging Face model folder`);
    const config = await readJsonObject(join(folder, "config.json"));
    return new Checkpoint(folder, config, await openWeights(folder, names));
  }

  private constructor(folder: string, config: JsonObject, files: readonly SafetensorsFile[]) {
    this.folder = folder;
    this.config = config;
    this.#files = files;
    this.#places = new Map(files.flatMap((file) => file.tensors.map((tensor) => [tensor.name, { file, tensor }])));
    this.tensors = new Map(Array.from(this.#places, ([name, { tensor }]) => [name, tensor]));
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
  expect(known: Iterable<readonly [name: string, line: string]>): void {
    this.#known.expect(known);
  }

  /**
   * Bytes of a whole tensor as stored, little-endian, in their own ArrayBuffer. They are hashed while they are read; a
   * UserError when they are not those of an earlier reading.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const place = this.#places.get(name);
    if (!place) throw new Error(`${this.folder} has no tensor ${name}`);
    const { bytes, sha256 } = await place.file.read(place.tensor);
    this.#bytesRead += bytes.length;
    this.#known.meet(place.file.path, name, tensorLine(place.tensor, sha256));
    return bytes;
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
    await closeAll(this.#files);
  }
}

async function listFolder(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected a Hugging Face model folder`, { cause });
  }
}

async function openWeights(folder: string, names: ReadonlySet<string>): Promise<readonly SafetensorsFile[]> {
  if (names.has(SINGLE_FILE)) return openAll(folder, [SINGLE_FILE]);
  if (names.has(INDEX_FILE)) return openShards(folder, names);
  const pickle = [...names].find((name) => /^pytorch_model.*\.bin$|\.(pt|pth|ckpt)$/.test(name));
  throw new UserError(
    pickle
      ? `${join(folder, pickle)}: pickled weights can run code and are never loaded; convert them to safetensors`
      : `${folder}: no weights; expected ${SINGLE_FILE} or ${INDEX_FILE}`,
  );
}

async function openShards(folder: string, names: ReadonlySet<string>): Promise<readonly SafetensorsFile[]> {
  const weightMap = await readShardIndex(join(folder, INDEX_FILE));
  const shards = [...new Set(weightMap.values())].toSorted();
  const absent = shards.find((shard) => !names.has(shard));
  if (absent)
    throw new UserError(
      `${join(folder, absent)}: no such file, but ${INDEX_FILE} names it; download the model in full`,
    );
  const files = await openAll(folder, shards);
  const fault = findDisagreement(weightMap, shards, files);
  if (!fault) return files;
  await closeAll(files);
  throw new UserError(`${join(folder, INDEX_FILE)}: ${fault}`);
}

async function openAll(folder: string, names: readonly string[]): Promise<readonly SafetensorsFile[]> {
  const files: SafetensorsFile[] = [];
  try {
    for (const name of names) files.push(await SafetensorsFile.open(join(folder, name)));
    return files;
  } catch (error) {
    await closeAll(files);
    throw error;
  }
}

async function closeAll(files: readonly SafetensorsFile[]): Promise<void> {
  await Promise.all(files.map((file) => file[Symbol.asyncDispose]()));
}

function findDisagreement(
  weightMap: WeightMap,
  shards: readonly string[],
  files: readonly SafetensorsFile[],
): string | undefined {
  const missing = new Map(weightMap);
  for (const [i, file] of files.entries())
    for (const { name } of file.tensors) {
      if (weightMap.get(name) !== shards[i])
        return `tensor ${show(name)} is in ${shards[i]}, but weight_map says ${show(weightMap.get(name))}`;
      missing.delete(name);
    }
  for (const [name, shard] of missing)
    return `weight_map puts tensor ${show(name)} in ${shard}, which does not have it`;
  return undefined;
}
