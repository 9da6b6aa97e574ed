import { join } from "node:path";
import { readAdapterConfig } from "../checkpoint/adapter/adapter-config.ts";
import { listFolder } from "../checkpoint/open-weights.ts";
import { ADAPTER_FILE, isAdapter } from "../checkpoint/weight-files.ts";
import { UserError } from "../errors.ts";
import { modelFolder, type ModelFolderOptions } from "./sources.ts";
import { BASE, type WorkspaceOptions } from "./workspace.ts";

/** How an adapter that is scored by itself is called among its parents. */
const ADAPTER = "adapter";

/** What is opened to score one model, and what this model is called among it. */
export interface ParentsToScore extends Pick<WorkspaceOptions, "base" | "experts"> {
  readonly scored: string;
}

/**
 * Brings a model here that is given as a folder or by its name on the Hub: a full model as the base of nothing, an adapter
 * as the expert of the model that its adapter_config.json names, which is brought here too.
 */
export async function parentsToScore(model: string, options: ModelFolderOptions): Promise<ParentsToScore> {
  const folder = await modelFolder(model, { ...options, toScore: true });
  if (!isAdapter(await listFolder(folder))) return { base: folder, experts: [], scored: BASE };
  const { baseModel, revision } = await readAdapterConfig(folder);
  if (baseModel === undefined)
    throw new UserError(
      `${join(folder, ADAPTER_FILE)}: base_model_name_or_path: expected the model that it was trained on`,
    );
  options.onNotice?.(`${model} is a LoRA adapter, scored on ${baseModel}, which its adapter_config.json names`);
  const base = await modelFolder(revision === undefined ? baseModel : `${baseModel}@${revision}`, {
    ...options,
    toScore: true,
  });
  return { base, experts: [{ name: ADAPTER, path: folder }], scored: ADAPTER };
}
