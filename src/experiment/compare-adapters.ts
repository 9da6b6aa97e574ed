/** Whether adapters fit the base of an experiment. */
import { basename } from "node:path";
import { type AdapterConfig, readAdapterConfig } from "../checkpoint/adapter/adapter-config.ts";
import { checkTwins, openAdapter } from "../checkpoint/adapter/open-adapter.ts";
import { planAdapter } from "../checkpoint/adapter/plan-adapter.ts";
import { listFolder } from "../checkpoint/open-weights.ts";
import { ADAPTER_FILE } from "../checkpoint/weight-files.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from "../model/tokenizer/tokenizer-file.ts";
import type { ParentFiles } from "./parent-files.ts";
import { type DescribedParent, orReason, type ParentFinding } from "./parent-finding.ts";
import { adapterTokenizerFindings } from "./tokenizer-findings.ts";

/**
 * What the small files of an adapter tell; without a base, only what is wrong with its configuration. A tokenizer beside it is
 * compared like any expert's, though the base's is used.
 */
export async function adapterFindings(
  adapter: ParentFiles,
  base: DescribedParent | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly ParentFinding[]> {
  const { folder, name } = adapter;
  const config = await orReason(() => readAdapterConfig(folder, name));
  if (typeof config === "string") return [{ name, about: "model", verdict: "fault", text: config }];
  if (!base) return [];
  const names = await listFolder(folder);
  const hasTokenizer = names.has(TOKENIZER_FILE) && names.has(TOKENIZER_CONFIG_FILE);
  const ofTokenizer = hasTokenizer ? await adapterTokenizerFindings(adapter, base, signal) : [];
  return [...ofAnotherBase(adapter, config, base), ...ofTokenizer];
}

/** An adapter says what it was trained on, but folders have any names, and so have copies on the Hub. */
function ofAnotherBase(
  { name }: ParentFiles,
  { baseModel }: AdapterConfig,
  { parent: base }: DescribedParent,
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
export async function whyNoAdapterOf(
  adapter: ParentFiles,
  base: DescribedParent,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const found = await orReason(async () => {
    const [own, full] = [await adapter.headers(signal), await base.parent.headers(signal)];
    if (!own || !full) return;
    const { folder, name } = adapter;
    const tensors = new Map(full.tensors);
    for (const alias of base.model.aliases) tensors.delete(alias.name);
    const modelType = base.config["model_type"];
    const changes = planAdapter(await readAdapterConfig(folder, name), own, { tensors, modelType });
    if (adapter.isHere) await checkTwins(folder, await listFolder(folder), changes, signal);
  });
  return found ?? undefined;
}

/** Refuses an adapter that is open on a base of that model, and whose head would have other values than the embedding that it is. */
export async function checkOpenAdapter(
  { folder, tensors, config }: Checkpoint,
  { aliases }: Model,
  signal?: AbortSignal,
): Promise<void> {
  const [names, second] = [await listFolder(folder), new Set(aliases.map(({ name }) => name))];
  const own = new Map([...tensors].filter(([name]) => !second.has(name)));
  const { file, changes } = await openAdapter(folder, names, { tensors: own, modelType: config["model_type"] });
  await file[Symbol.asyncDispose]();
  await checkTwins(folder, names, changes, signal);
}

/** An adapter beside a full model, which transformers would apply to the adapter's own base. */
export async function adapterBeside({ name, folder }: ParentFiles): Promise<ParentFinding[]> {
  if (!(await listFolder(folder)).has(ADAPTER_FILE)) return [];
  const text = `${name}: its full model is used, and the adapter of its ${ADAPTER_FILE} left out; transformers loads that instead where peft is installed, so remove it before lm_eval scores this model`;
  return [{ name, about: "model", verdict: "notice", text }];
}
