import { join } from "node:path";
import { listFolder } from "../checkpoint/open-weights.ts";
import { ADAPTER_FILE, INDEX_FILE } from "../checkpoint/weight-files.ts";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-object.ts";
import { UserError } from "../errors.ts";
import type { ParentFinding } from "../experiment/parent-finding.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { compareAll, faultOf, pathsOf } from "../experiment/examine-parents.ts";
import { openModelRepository } from "../experiment/open-model-repository.ts";
import { filesOfFolder, filesOnHub, type ParentFiles } from "../experiment/parent-files.ts";
import type { Hub } from "../hub/api/hub.ts";
import { neededFiles } from "../hub/transfer/needed-files.ts";
import { type HubReference, parseReference } from "../hub/api/reference.ts";
import type { RepositoryFile } from "../hub/cache/repository.ts";
import type { Model } from "../model/architecture.ts";
import { openModel } from "../model/open-model.ts";
import { Tokenizer, type TokenizerFacts } from "../model/tokenizer/tokenizer.ts";
import { ask, attempt, describedNow } from "./ask.ts";
import type { Facts, GatherOptions, ModelFacts, TokenizerFinding } from "./facts.ts";
import { gatherSources } from "./gather-sources.ts";

/** Weights that evomerge does not read. */
const otherWeights = /\.(?:bin|pth?|ckpt|h5|msgpack)$/;

/** What is known of a model, and what `run` would compare or has against it. */
interface Gathered {
  readonly facts: ModelFacts;
  readonly parent?: ParentFiles | undefined;
  readonly fault?: string | undefined;
}

/** Asks the Hub for everything that the rules look at: descriptions, small files, rows; no weights. */
export async function gatherFacts(experiment: Experiment, hub: Hub, options: GatherOptions = {}): Promise<Facts> {
  const models: ModelFacts[] = [];
  const examined = new Map<string, ParentFiles | ParentFinding>();
  for (const name of pathsOf(experiment)) {
    options.onProgress?.(name);
    const reference = parseReference(name);
    const gathering = reference ? gatherModel({ name, reference }, hub, options) : gatherFolder(name, options);
    const { facts, parent, fault } = await gathering;
    models.push(facts);
    if (parent) examined.set(name, parent);
    else if (fault !== undefined) examined.set(name, faultOf(name, fault));
  }
  const sources = await gatherSources(experiment, hub, options);
  const findings = await compareAll(experiment, examined, options.signal);
  return { experiment, endpoint: hub.endpoint, offline: hub.offline, models, findings, sources };
}

async function gatherModel(
  named: { readonly name: string; readonly reference: HubReference },
  hub: Hub,
  { signal }: GatherOptions,
): Promise<Gathered> {
  const opened = await ask(hub, async () => {
    const repository = await openModelRepository(hub, named.reference, { withCommits: true, signal });
    return describedNow(hub, repository, named.reference, signal);
  });
  if ("problem" in opened) return { facts: { ...named, ...opened } };
  const repository = opened.found;
  const needed = await attempt(async () => neededFiles(repository, "without weights"));
  if ("problem" in needed) {
    const weights = repository.files.filter(({ path }) => otherWeights.test(path));
    return { facts: { ...named, repository, weights, ...needed }, fault: needed.problem.text };
  }
  const withoutSmall = (files: readonly RepositoryFile[]): RepositoryFile[] =>
    files.filter((file) => !needed.found.includes(file));
  // A gate lets everyone see which files there are, but not read them.
  const read = await ask(hub, async () => {
    const parent = await filesOnHub(hub, repository, { signal });
    return { ...(await readParent(parent, signal)), weights: withoutSmall(parent.files) };
  });
  if ("problem" in read) {
    const facts = { ...named, repository, weights: withoutSmall(neededFiles(repository, "all")), ...read };
    return { facts, fault: read.problem.verdict === "fail" ? read.problem.text : undefined };
  }
  const { facts, parent, weights } = read.found;
  return { facts: { ...named, repository, weights, ...facts }, parent };
}

async function gatherFolder(name: string, { signal }: GatherOptions): Promise<Gathered> {
  const read = await attempt(async () => readParent(await filesOfFolder(name), signal));
  if ("problem" in read) return { facts: { name, ...read }, fault: read.problem.text };
  const { facts, parent } = read.found;
  return { facts: { name, ...facts }, parent };
}

/** What the small files of a model say; its tokenizer is read once. */
async function readParent(
  parent: ParentFiles,
  signal?: AbortSignal,
): Promise<{ readonly facts: Partial<ModelFacts>; readonly parent: ParentFiles }> {
  const { folder } = parent;
  const files = await listFolder(folder);
  const read = async (file: string): Promise<JsonObject | undefined> =>
    files.has(file) ? readJsonObject(join(folder, file)) : undefined;
  const config = await read("config.json");
  const tokenizer = config && (await tokenizerOf(folder, signal));
  const facts = {
    config,
    adapter: config ? undefined : await read(ADAPTER_FILE),
    model: config && modelOf(folder, config),
    tokenizer,
    indexedBytes: indexedBytesOf(await read(INDEX_FILE)),
  };
  if (!tokenizer) return { facts, parent };
  const readAgain = async (): Promise<TokenizerFacts> => {
    if ("problem" in tokenizer) throw new UserError(tokenizer.problem);
    return tokenizer;
  };
  return { facts, parent: { ...parent, tokenizer: readAgain } };
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
    return await Tokenizer.describe(folder, signal);
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
