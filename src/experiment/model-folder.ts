/** The folder of one model, which a text names. */
import type { Hub } from "../hub/api/hub.ts";
import { hubReference } from "./model-name.ts";
import type { SourceOptions } from "./sources.ts";

export interface ModelFolderOptions extends SourceOptions {
  /** The environment's unless given. */
  readonly hub?: Hub | undefined;
  /** Whether evomerge is to score the model: one that it cannot score is a UserError before any weight is fetched. */
  readonly toScore?: boolean | undefined;
}

/** A model on this machine, and what it was brought from: its folder, or its name on the Hub with the commit. */
export interface BroughtModel {
  readonly folder: string;
  readonly source: string;
}

/** The folder of a model that is given as a folder or by its name on the Hub. */
export async function modelFolder(model: string, options?: ModelFolderOptions): Promise<string> {
  return (await bringModel(model, options)).folder;
}

/** The same with what the name means today. */
export async function bringModel(model: string, options: ModelFolderOptions = {}): Promise<BroughtModel> {
  const reference = hubReference(model);
  if (!reference) return { folder: model, source: model };
  // Most models are folders, and whoever opens one waits for no program that fetches.
  const { fetchModel } = await import("./fetch-model.ts");
  return fetchModel(reference, options);
}
