/** Whether models merge: what everything but their weights tells. Nobody else compares them. */
import { basename, join } from "node:path";
import { type AdapterConfig, readAdapterConfig } from "../checkpoint/adapter/adapter-config.ts";
import { checkTwins } from "../checkpoint/adapter/open-adapter.ts";
import { planAdapter } from "../checkpoint/adapter/plan-adapter.ts";
import { Checkpoint, listFolder } from "../checkpoint/checkpoint.ts";
import { ADAPTER_FILE, refuseAdapter } from "../checkpoint/weight-files.ts";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";
import { checkWeights, openModel } from "../model/open-model.ts";
import { Tokenizer, type TokenizerFacts } from "../model/tokenizer/tokenizer.ts";
import { checkAliases } from "./check-aliases.ts";
import type { ParentFiles } from "./parent-files.ts";
import { whyUnscorable } from "./scorable.ts";

/** What was found about a model: why it cannot be scored or merged with the base, or what a person should know of it. */
export interface ParentFinding {
  /** The model as people call it. */
  readonly name: string;
  readonly about: "model" | "tokenizer" | "architecture" | "weights" | "equal";
  readonly verdict: "fault" | "notice";
  /** One sentence. */
  readonly text: string;
}

/** Differences of tokenizers that a sentence names. */
const MOST_NAMED = 3;

/** A model with what was found in its small files. */
interface Described {
  readonly parent: ParentFiles;
  readonly model: Model;
  readonly tokenizer: TokenizerFacts;
  readonly modelType: unknown;
}

/**
 * Everything that keeps a base and its experts from being scored and merged, found without reading a weight but those that a
 * file holds twice: what is to be asked of the Hub in addition, the headers of weights, is asked for only where nothing else stands against a merge.
 */
export async function compareParents(
  parents: readonly ParentFiles[],
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  const findings: ParentFinding[] = [];
  const report = ({ name }: ParentFiles, about: ParentFinding["about"], text: string | undefined): void => {
    if (text !== undefined) findings.push({ name, about, verdict: "fault", text });
  };
  const described: Described[] = [];
  const adapters: ParentFiles[] = [];
  for (const parent of new Map(parents.map((parent) => [parent.folder, parent])).values()) {
    if (parent.isAdapter) {
      adapters.push(parent);
      if (parent === parents[0] && parents.length > 1) report(parent, "model", refuseAdapter(parent.name));
      continue;
    }
    const reason = await whyUnscorable(parent.name, parent.folder);
    report(parent, "model", reason);
    const found = reason === undefined ? await describe(parent, signal) : undefined;
    if (typeof found === "string") report(parent, "model", found);
    else if (found) {
      described.push(found);
      findings.push(...(await adapterBeside(parent)));
    }
  }
  const base = described.find(({ parent }) => parent.folder === parents[0]?.folder);
  const configs = await Promise.all(
    adapters.map(({ folder, name }) => orReason(() => readAdapterConfig(folder, name))),
  );
  for (const [i, adapter] of adapters.entries()) {
    const config = configs[i];
    if (typeof config === "string") report(adapter, "model", config);
    else if (base && config) findings.push(...ofAnotherBase(adapter, config, base));
  }
  if (!base) return findings;
  report(base.parent, "tokenizer", tooManyTokens(base));
  findings.push(...doubts(base));
  for (const expert of described) {
    if (expert === base) continue;
    findings.push(...(await tokenizerFindings(expert, base, signal)));
    report(expert.parent, "architecture", architectureDifference(expert, base));
  }
  if (firstFault(findings) !== undefined) return findings;
  for (const { parent } of described) report(parent, "weights", await whyOtherWeights(parent, base.model, signal));
  for (const adapter of adapters) report(adapter, "weights", await whyNoAdapterOf(adapter, base, signal));
  return findings;
}

/** An adapter says what it was trained on, but folders have any names, and so have copies on the Hub. */
function ofAnotherBase(
  { name }: ParentFiles,
  { baseModel }: AdapterConfig,
  { parent: base }: Described,
): ParentFinding[] {
  const places = [base.name, base.folder];
  const isSame =
    baseModel === undefined ||
    places.some((place) => basename(place) === basename(baseModel) || place.includes(repositoryFolder(baseModel)));
  if (isSame) return [];
  const text = `${name}: its adapter_config.json says that it was trained on ${showUntrusted(baseModel)}; it is applied to the base ${base.name}`;
  return [{ name, about: "architecture", verdict: "notice", text }];
}

/** As the cache of the Hub calls the folder of a model. */
function repositoryFolder(model: string): string {
  return `models--${model.replaceAll("/", "--")}`;
}

/** Why an adapter cannot be applied to the base. */
async function whyNoAdapterOf(
  adapter: ParentFiles,
  base: Described,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const found = await orReason(async () => {
    const [own, full] = [await adapter.headers(signal), await base.parent.headers(signal)];
    if (!own || !full) return;
    const { folder, name } = adapter;
    const tensors = new Map(full.tensors);
    for (const alias of base.model.aliases) tensors.delete(alias.name);
    const { modelType } = base;
    const changes = planAdapter(await readAdapterConfig(folder, name), own, { tensors, modelType });
    if (adapter.isHere) await checkTwins(folder, await listFolder(folder), changes, signal);
  });
  return found ?? undefined;
}

/** An adapter beside a full model, which transformers would apply to the adapter's own base. */
async function adapterBeside({ name, folder }: ParentFiles): Promise<ParentFinding[]> {
  if (!(await listFolder(folder)).has(ADAPTER_FILE)) return [];
  const text = `${name}: its full model is used, and the adapter of its ${ADAPTER_FILE} left out; transformers loads that instead where peft is installed, so remove it before lm_eval scores this model`;
  return [{ name, about: "model", verdict: "notice", text }];
}

/** The first sentence that says why there is no merging. */
export function firstFault(findings: readonly ParentFinding[]): string | undefined {
  return findings.find(({ verdict }) => verdict === "fault")?.text;
}

/** The first field of two identities that differs. */
export function differingField(found: Model["identity"], expected: Model["identity"]): string | undefined {
  return Object.keys({ ...expected, ...found }).find(
    (field) => JSON.stringify(found[field]) !== JSON.stringify(expected[field]),
  );
}

/** Why its rows may score otherwise than in lm_eval. */
function doubts({ parent: { name }, tokenizer: { doubt } }: Described): ParentFinding[] {
  return doubt === undefined ? [] : [{ name, about: "tokenizer", verdict: "notice", text: `${name}: ${doubt}` }];
}

async function tokenizerFindings(
  { parent: { name, folder }, tokenizer }: Described,
  { parent: base, tokenizer: expected }: Described,
  signal: AbortSignal | undefined,
): Promise<ParentFinding[]> {
  if (tokenizer.digest === expected.digest) return [];
  const finding = (verdict: ParentFinding["verdict"], text: string): ParentFinding[] => [
    { name, about: "tokenizer", verdict, text: `${name}: ${text}` },
  ];
  const compared = await orReason(() => Tokenizer.compare(base.folder, folder, signal));
  if (typeof compared === "string") return finding("fault", compared);
  const { faults, notices } = compared;
  if (faults.length > 0) {
    const differences = `its tokenizer is not that of the base ${base.name}: ${inShort(faults)}`;
    return finding("fault", `${differences}; only models of one vocabulary merge`);
  }
  if (notices.length === 0) return [];
  return finding("notice", `the tokenizer of the base is used for all models; this one's differs: ${inShort(notices)}`);
}

/** The first of the differences, in one clause. */
function inShort(differences: readonly string[]): string {
  const more = differences.length - MOST_NAMED;
  return differences.slice(0, MOST_NAMED).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function architectureDifference({ parent: { name }, model }: Described, base: Described): string | undefined {
  const field = differingField(model.identity, base.model.identity);
  if (field === undefined) return undefined;
  const [found, expected] = [model, base.model].map(({ identity }) => JSON.stringify(identity[field]));
  return `${name}: ${field}: expected ${expected} as in the base ${base.parent.name}, found ${found}; only models of one architecture merge`;
}

/** Added tokens may lie beyond, such as a padding token of some Llamas 2 that have no embedding for it; rows tell. */
function tooManyTokens({ parent: { name }, model, tokenizer }: Described): string | undefined {
  if (tokenizer.textVocabularySize <= model.vocabularySize) return undefined;
  return `${name}: its tokenizer has ${tokenizer.textVocabularySize} tokens, its config.json ${model.vocabularySize} embeddings; the tokenizer is another model's`;
}

async function describe(parent: ParentFiles, signal: AbortSignal | undefined): Promise<Described | string> {
  const { folder, name } = parent;
  const config = await readJsonObject(join(folder, "config.json"));
  const model = openModel({ folder, config }, "f32");
  const read = parent.tokenizer ?? (() => Tokenizer.describe(folder, signal));
  const tokenizer = await orReason(read);
  if (typeof tokenizer !== "string") return { parent, model, tokenizer, modelType: config["model_type"] };
  return name === folder ? tokenizer : `${name}: ${tokenizer}`;
}

async function whyOtherWeights(
  parent: ParentFiles,
  model: Model,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { name, folder } = parent;
  const found = await orReason(async () => {
    const headers = await parent.headers(signal);
    if (!headers) return;
    checkWeights(model, { folder: name, config: {}, ...headers });
    if (!parent.isHere || !model.aliases.some((alias) => headers.tensors.has(alias.name))) return;
    await using checkpoint = await Checkpoint.open(folder);
    await checkAliases(model, checkpoint, { name, signal });
  });
  return found ?? undefined;
}

/** What came of it, or the sentence that says why nothing did. */
async function orReason<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
