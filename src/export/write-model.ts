import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { UserError } from "../errors.ts";
import { evomergeVersion } from "../experiment/identity.ts";
import type { Task } from "../experiment/load-tasks.ts";
import { BASE, baseOf, type Workspace } from "../experiment/workspace.ts";
import type { Outcome, RunOptions } from "../run/run-experiment.ts";
import { commonDtype } from "./common-dtype.ts";
import { licenceOf } from "./licence.ts";
import { mergekitConfig } from "./mergekit-config.ts";
import { mergeWeights } from "./merge-weights.ts";
import { modelCard } from "./model-card.ts";
import { carryOver, emptyFolder, takePlace, writeManifest } from "./model-folder.ts";
import { verifyExport } from "./verify-export.ts";

/** What the model is proved with, and where it goes. */
export interface Writing extends RunOptions {
  readonly tasks: readonly Task[];
  /** Folder of the model. */
  readonly model: string;
}

/**
 * Writes the model of a run's winner beside its place, reads it back, scores it again, and only then gives it its place.
 * Returns the digest of its weights; a UserError when they are not those that were scored.
 */
export async function writeModel(opened: Workspace, outcome: Outcome, writing: Writing): Promise<string> {
  const { tasks, model, signal, onEvent } = writing;
  const { experiment, winner } = outcome;
  const staging = `${model}.incomplete`;
  await emptyFolder(staging);
  try {
    const onProgress = (share: number): void => onEvent?.({ type: "progress", phase: "export", share });
    const source = { ...opened, base: BASE };
    const weightsDigest = await mergeWeights(source, winner.recipe, staging, { signal, onProgress });
    checkDigest(outcome, weightsDigest);
    await carryOver(baseOf(opened.checkpoints).folder, staging);
    await describe(opened, outcome, { weightsDigest, staging });
    await verifyExport(opened, { experiment, recipe: winner.recipe, tasks }, staging, signal);
    await writeManifest(staging);
    await takePlace(staging, model);
    return weightsDigest;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** What people and programs read of the merge: the recipe in our words and in mergekit's, and the model card. */
async function describe(
  { checkpoints, model }: Workspace,
  outcome: Outcome,
  { weightsDigest, staging }: { readonly weightsDigest: string; readonly staging: string },
): Promise<void> {
  const { experiment, winner } = outcome;
  const licences = await licencesOf(checkpoints);
  const baseDtype = commonDtype(baseOf(checkpoints).tensors.values());
  const texts = {
    "recipe.json": recipeText(winner.recipe),
    "mergekit_config.yml": mergekitConfig({ experiment, recipe: winner.recipe, layers: model.layers, baseDtype }),
    "README.md": modelCard(outcome, { weightsDigest, version: evomergeVersion(), licences }),
  };
  for (const [name, text] of Object.entries(texts)) await writeFileAtomic(join(staging, name), text);
}

async function licencesOf(parents: Workspace["checkpoints"]): Promise<ReadonlyMap<string, string | undefined>> {
  const licences = new Map<string, string | undefined>();
  for (const [name, { folder }] of parents) licences.set(name, await licenceOf(folder));
  return licences;
}

function checkDigest({ folder, verdict }: Outcome, weightsDigest: string): void {
  if (verdict === undefined || verdict.weightsDigest === weightsDigest) return;
  throw new UserError(
    `${folder}: the merged weights have digest ${weightsDigest}, but those that were scored had ${verdict.weightsDigest}; export with the engine and versions that the journal's first record names`,
  );
}

/** The recipe.json of an exported model. */
export function recipeText(recipe: object): string {
  return `${JSON.stringify(recipe, null, 2)}\n`;
}
