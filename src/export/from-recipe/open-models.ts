/** The models of a recipe, brought here and open. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { findModel } from "../../experiment/model-name.ts";
import { openCheckpoint } from "../../experiment/open-checkpoint.ts";
import { bringModel, modelFolder, type ModelFolderOptions } from "../../experiment/model-folder.ts";

/** A model of a recipe: a folder or a name on the Hub, with the adapter that changes it. */
export interface ModelToOpen {
  readonly model: string;
  readonly adapter?: string | undefined;
}

/** An open model, and the folder of its configuration and tokenizer: of an adapter its base's. */
export interface OpenedModel {
  readonly checkpoint: Checkpoint;
  readonly folder: string;
  /** The folder, or the model's name on the Hub with the commit that was opened. */
  readonly source: string;
}

interface OpenModelsOptions extends ModelFolderOptions {
  /** Told where each model is before it is opened. */
  readonly onFolder: (folder: string) => Promise<void>;
}

/** Opens models one after the other; what is opened is the caller's also where a later one cannot be. */
export async function openModels(
  models: ReadonlyMap<string, ModelToOpen>,
  opened: Map<string, OpenedModel>,
  { onFolder, ...options }: OpenModelsOptions,
): Promise<void> {
  for (const [name, { model, adapter }] of models) {
    const { folder, source } = await bringModel(model, options);
    await onFolder(folder);
    const checkpoint =
      adapter === undefined
        ? await openCheckpoint(folder)
        : await openCheckpoint(await modelFolder(adapter, options), { base: folder });
    opened.set(name, { checkpoint, folder, source });
  }
}

/**
 * What a recipe's text means: a folder as seen from that of the recipe, or where there is none from the current one, as mergekit
 * has it, or a name on the Hub.
 */
export function modelIn(text: string, folder: string): string {
  const from = [folder, "."].find((place) => existsSync(resolve(place, text))) ?? folder;
  const found = findModel(text, from);
  return "folder" in found ? found.folder : text;
}
