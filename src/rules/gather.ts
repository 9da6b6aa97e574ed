import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ADAPTER_FILE, INDEX_FILE } from "../checkpoint/weight-files.ts";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-object.ts";
import { reasonOf } from "../files/system-error.ts";
import { UserError } from "../errors.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import { whyUnscorable } from "../experiment/scorable.ts";
import { fetchFiles } from "../hub/transfer/fetch-files.ts";
import type { Hub } from "../hub/api/hub.ts";
import { neededFiles } from "../hub/transfer/needed-files.ts";
import { type HubReference, parseReference } from "../hub/api/reference.ts";
import { openRepository } from "../hub/cache/repository.ts";
import type { Model } from "../model/architecture.ts";
import { openModel } from "../model/open-model.ts";
import { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { ask, attempt, describedNow } from "./ask.ts";
import type { Facts, GatherOptions, ModelFacts, TokenizerFinding } from "./facts.ts";
import { gatherSources } from "./gather-sources.ts";

/** Weights that evomerge does not read. */
const otherWeights = /\.(?:bin|pth?|ckpt|h5|msgpack)$/;

/** Asks the Hub for everything that the rules look at: descriptions, small files, rows; no weights. */
export async function gatherFacts(experiment: Experiment, hub: Hub, options: GatherOptions = {}): Promise<Facts> {
  const models: ModelFacts[] = [];
  for (const name of new Set([experiment.base, ...experiment.experts.map(({ path }) => path)])) {
    options.onProgress?.(name);
    const reference = parseReference(name);
    models.push(reference ? await gatherModel({ name, reference }, hub, options) : await gatherFolder(name, options));
  }
  const sources = await gatherSources(experiment, hub, options);
  return { experiment, endpoint: hub.endpoint, offline: hub.offline, models, sources };
}

async function gatherModel(
  named: { readonly name: string; readonly reference: HubReference },
  hub: Hub,
  { signal }: GatherOptions,
): Promise<ModelFacts> {
  const opened = await ask(hub, async () => {
    const repository = await openRepository(hub, "model", named.reference, { withCommits: true, signal });
    return describedNow(hub, repository, named.reference, signal);
  });
  if ("problem" in opened) return { ...named, ...opened };
  const repository = opened.found;
  const needed = await attempt(async () => neededFiles(repository, "without weights"));
  if ("problem" in needed) {
    const weights = repository.files.filter(({ path }) => otherWeights.test(path));
    return { ...named, repository, weights, ...needed, unscorable: needed.problem.text };
  }
  const small = new Set(needed.found);
  const weights = neededFiles(repository, "all").filter((file) => !small.has(file));
  // A gate lets everyone see which files there are, but not read them.
  const read = await ask(hub, async () =>
    readFolder(repository.name, await fetchFiles(hub, repository, needed.found, { signal }), signal),
  );
  return { ...named, repository, weights, ...("problem" in read ? read : read.found) };
}

async function gatherFolder(name: string, { signal }: GatherOptions): Promise<ModelFacts> {
  const read = await attempt(() => readFolder(name, name, signal));
  return { name, ...("problem" in read ? read : read.found) };
}

/** What the small files of a model say. */
async function readFolder(name: string, folder: string, signal?: AbortSignal): Promise<Partial<ModelFacts>> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new UserError(`${folder}: ${reasonOf(cause)}; expected the folder of a model`, { cause });
  });
  const read = async (file: string): Promise<JsonObject | undefined> =>
    files.includes(file) ? readJsonObject(join(folder, file)) : undefined;
  const config = await read("config.json");
  return {
    config,
    adapter: config ? undefined : await read(ADAPTER_FILE),
    model: config && modelOf(folder, config),
    tokenizer: config && (await tokenizerOf(folder, signal)),
    indexedBytes: indexedBytesOf(await read(INDEX_FILE)),
    unscorable: await whyUnscorable(name, folder),
  };
}

/** Undefined for a family or a setting that evomerge does not know, which `whyUnscorable` explains. */
function modelOf(folder: string, config: JsonObject): Model | undefined {
  try {
    return openModel({ folder, config }, "f32");
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

async function tokenizerOf(folder: string, signal?: AbortSignal): Promise<TokenizerFinding> {
  try {
    const { digest, vocabularySize } = await Tokenizer.describe(folder, signal);
    return { digest, vocabularySize };
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}

function indexedBytesOf(index: JsonObject | undefined): number | undefined {
  const metadata = index?.["metadata"];
  const bytes = isJsonObject(metadata) ? metadata["total_size"] : undefined;
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
