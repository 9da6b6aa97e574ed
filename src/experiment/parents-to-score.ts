import { join } from "node:path";
import { readAdapterConfig } from "../checkpoint/adapter/adapter-config.ts";
import { listFolder } from "../checkpoint/open-weights.ts";
import { ADAPTER_FILE, isAdapter } from "../checkpoint/weight-files.ts";
import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { orReason } from "./parent-finding.ts";
import { modelFolder, type ModelFolderOptions } from "./model-folder.ts";
import { BASE } from "./the-base.ts";
import type { WorkspaceOptions } from "./workspace.ts";

/** How an adapter that is scored by itself is called among its parents. */
const ADAPTER = "adapter";

/** What is opened to score one model, and what this model is called among it. */
export interface ParentsToScore extends Pick<WorkspaceOptions, "base" | "experts"> {
  readonly scored: string;
}

/** A model as commands are given one. */
export interface ModelToScore {
  /** Folder, adapter among them, or `org/name@revision` of the Hub. */
  readonly model: string;
  /** The full model that an adapter is applied to, named likewise; the one that its adapter_config.json names unless given. */
  readonly base?: string | undefined;
}

/**
 * Brings a model here that is given as a folder or by its name on the Hub: a full model as the base of nothing, an adapter
 * as the expert of its base, which is brought here too.
 */
export async function parentsToScore(
  { model, base }: ModelToScore,
  options: ModelFolderOptions,
): Promise<ParentsToScore> {
  const bring = (name: string): Promise<string> => modelFolder(name, { ...options, toScore: true });
  const folder = await bring(model);
  if (isAdapter(await listFolder(folder))) {
    const found = base === undefined ? await namedBase({ model, folder }, bring, options) : await bring(base);
    return { base: found, experts: [{ name: ADAPTER, path: folder }], scored: ADAPTER };
  }
  if (base !== undefined)
    throw new UserError(`${model} is a full model; leave out its base (--base), which only an adapter has`);
  return { base: folder, experts: [], scored: BASE };
}

/** The folder of the model that an adapter says it was trained on; a UserError says what to do where that is none. */
async function namedBase(
  { model, folder }: { readonly model: string; readonly folder: string },
  bring: (name: string) => Promise<string>,
  { onNotice }: Pick<ModelFolderOptions, "onNotice">,
): Promise<string> {
  const { baseModel, revision } = await readAdapterConfig(folder, model);
  const fault = (text: string): UserError =>
    new UserError(`${join(model, ADAPTER_FILE)}: base_model_name_or_path: ${text}; name its base with --base`);
  if (baseModel === undefined) throw fault("expected the full model that it was trained on, found nothing");
  const shown = showUntrusted(baseModel);
  const found = await orReason(async () => {
    const base = await bring(revision === undefined ? baseModel : `${baseModel}@${revision}`);
    return { base, names: await listFolder(base) };
  });
  if (typeof found === "string") throw fault(found);
  if (isAdapter(found.names)) throw fault(`expected the full model that it was trained on, found ${shown}, an adapter`);
  onNotice?.(`${model} is a LoRA adapter, applied to ${shown}, which its adapter_config.json names`);
  return found.base;
}
