/** Models and adapters on this machine that an experiment may merge. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { readAdapterConfig } from "../checkpoint/adapter/adapter-config.ts";
import { isAdapter } from "../checkpoint/weight-files.ts";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../files/json-object.ts";
import { readTextWithin } from "../files/read-file.ts";
import { formatReference, parseReference } from "../hub/api/reference.ts";
import type { Model } from "../model/architecture.ts";
import { openModel } from "../model/open-model.ts";
import { isModelFolder, type SeenFolder } from "./look-through.ts";

/** A model as far as its small files tell. */
export interface FoundModel {
  /** Where its files are. */
  readonly folder: string;
  /** By which an experiment names it: its folder, or `org/name@commit` of the Hub's cache. */
  readonly place: string;
  /** As people call it. */
  readonly name: string;
  /** What is the same for models that merge; undefined of an adapter. */
  readonly identity: Model["identity"] | undefined;
  /** The model that it says it was made from: a folder, or a name of the Hub. */
  readonly madeFrom: string | undefined;
}

/** A folder that looks like a model, and why it is none that evomerge merges. */
export interface UnfitModel {
  readonly place: string;
  readonly why: string;
}

/** What a folder holds; undefined where that is no model. */
export async function foundModelIn(
  { path, names }: SeenFolder,
  place: string = path,
): Promise<FoundModel | UnfitModel | undefined> {
  if (!isModelFolder(names)) return unreadWeights(path, names);
  const name = basename(parseReference(place)?.name ?? path);
  try {
    if (isAdapter(names)) {
      const { baseModel } = await readAdapterConfig(path);
      return { folder: path, place, name, identity: undefined, madeFrom: baseModel };
    }
    const config = await readJsonObject(join(path, "config.json"));
    const { identity } = openModel({ folder: path, config }, "f32");
    const madeFrom = config["_name_or_path"];
    return { folder: path, place, name, identity, madeFrom: typeof madeFrom === "string" ? madeFrom : undefined };
  } catch (error) {
    if (error instanceof UserError) return { place, why: error.message };
    throw error;
  }
}

/** Of a folder with weights for another program, which somebody may take for a model's. */
function unreadWeights(path: string, names: ReadonlySet<string>): UnfitModel | undefined {
  const file = [...names].toSorted().find((name) => name.toLowerCase().endsWith(".gguf"));
  if (file === undefined) return undefined;
  return {
    place: join(path, file),
    why: "GGUF holds weights for inference and is not merged; take the model's Hugging Face folder",
  };
}

const PREFIX = "models--";

/** The models of the Hub's cache whose branch `main` is there. */
export async function modelsInCache(cache: string): Promise<readonly FoundModel[]> {
  const folders = await readdir(cache).catch((): string[] => []);
  const found: FoundModel[] = [];
  for (const folder of folders.filter((name) => name.startsWith(PREFIX)).toSorted()) {
    const revision = await commitOfMain(join(cache, folder));
    const reference = formatReference({ name: folder.slice(PREFIX.length).replaceAll("--", "/"), revision });
    if (!parseReference(reference)) continue;
    const path = join(cache, folder, "snapshots", revision);
    const names = new Set(await readdir(path).catch((): string[] => []));
    const model = await foundModelIn({ path, names }, reference);
    if (model && "name" in model) found.push(model);
  }
  return found;
}

async function commitOfMain(folder: string): Promise<string> {
  const text = await readTextWithin(join(folder, "refs", "main"), { what: "a commit", maxBytes: 1000 }).catch(() => "");
  return text.trim();
}
