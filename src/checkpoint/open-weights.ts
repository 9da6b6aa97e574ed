/** The files of a model's weights, found in its folder and opened with their headers. */
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readJsonObject, type JsonObject } from "../files/json-object.ts";
import { reasonOf } from "../files/system-error.ts";
import { joinHeaders, type JoinedHeaders, renameTensors } from "./join-headers.ts";
import { RenamedFile } from "./renamed-file.ts";
import { readShardIndex } from "./shard-index.ts";
import { openWeightFile, type WeightFile } from "./weight-file.ts";
import { findIndex, findWeightFiles, INDEX_FILE, SINGLE_FILE, whyUnreadable } from "./weight-files.ts";

/** Says of a folder that is a full model which of its tensors are to go by which other names. */
export type NamesOf = (found: {
  readonly folder: string;
  readonly config: JsonObject;
  readonly tensors: JoinedHeaders["tensors"];
}) => ReadonlyMap<string, string>;

/** Names of the files in the folder of a model; a UserError where there is no such folder. */
export async function listFolder(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected a Hugging Face model folder`, { cause });
  }
}

/** What is open of a model. */
export interface OpenWeights {
  readonly config: JsonObject;
  readonly files: readonly WeightFile[];
  readonly joined: JoinedHeaders;
  /** The file of an adapter, which the others are changed by. */
  readonly adapter?: WeightFile;
}

/** The weights of a base as an adapter changes them; the base is closed where the adapter cannot be opened. */
export async function openAdapted(folder: string, names: ReadonlySet<string>, base: OpenWeights): Promise<OpenWeights> {
  try {
    const { AdaptedFile } = await import("./adapter/adapted-file.ts");
    const { openAdapter } = await import("./adapter/open-adapter.ts");
    const { tensors } = base.joined;
    const adapter = await openAdapter(folder, names, { tensors, modelType: base.config["model_type"] });
    return { ...base, files: base.files.map((file) => new AdaptedFile(file, adapter)), adapter: adapter.file };
  } catch (error) {
    await closeAll(base.files);
    throw error;
  }
}

/** The weights of a full model, whose folder has files of these names; a UserError names what is missing or not sound. */
export async function openFull(
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

export async function closeAll(files: readonly WeightFile[]): Promise<void> {
  await Promise.all(files.map((file) => file[Symbol.asyncDispose]()));
}
