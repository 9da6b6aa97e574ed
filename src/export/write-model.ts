import type { DescriptionFile } from "../model-folder/description-files.ts";
import { UserError } from "../errors.ts";
import { resultOf } from "../evaluate/path.ts";
import { evomergeVersion } from "../files/own-package.ts";
import type { Task } from "../experiment/load-tasks.ts";
import { BASE, baseOf } from "../experiment/the-base.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { readJournal } from "../journal/journal.ts";
import { restackedFields } from "../model/restacked-config.ts";
import { runFacts } from "../report/run-facts.ts";
import type { Outcome } from "../run/carry-on.ts";
import type { RunOptions } from "../run/run-options.ts";
import { commonDtype } from "./common-dtype.ts";
import { filesOfBase } from "./files-of-base.ts";
import { licenceOf } from "./licence.ts";
import { isForMergekit, mergekitConfig } from "./mergekit-config.ts";
import { mergeWeights } from "./merge-weights.ts";
import type { PickedOutcome } from "./picked.ts";
import { modelCard } from "./model-card.ts";
import { recipeFiles } from "./recipe-files.ts";
import { verifyExport } from "./verify-export.ts";
import { withoutFolders } from "./without-folders.ts";
import { writeBeside } from "./write-beside.ts";

/** What the model is proved with, and where it is written. */
export interface Writing extends RunOptions {
  readonly tasks: readonly Task[];
  /** An empty folder. */
  readonly folder: string;
}

/**
 * Writes the model of a run's winner with a manifest of what was written, reads it back and scores it again. Returns the
 * digest of its weights; a UserError when they are not those that were scored.
 */
export async function writeModel(opened: Workspace, outcome: PickedOutcome, writing: Writing): Promise<string> {
  const { tasks, folder, signal, onEvent } = writing;
  const { experiment, winner } = outcome;
  // Before hours may go into weights.
  const base = baseOf(opened.checkpoints);
  const result = resultOf(opened.model, winner.recipe);
  const onNotice = (text: string): void => onEvent?.({ type: "notice", text });
  const carriedOver = await filesOfBase(
    base.folder,
    {
      dtype: commonDtype(base.tensors.values()),
      fields: { ...opened.vocabulary.changes, ...("layerTypes" in result && restackedFields(base, result)) },
      tokenizer: opened.vocabulary.tokenizer,
      signal,
    },
    onNotice,
  );
  const onProgress = (share: number): void => onEvent?.({ type: "progress", phase: "export", share });
  const merged = await mergeWeights({ ...opened, base: BASE }, winner.recipe, folder, { signal, onProgress });
  const { digest } = merged;
  checkDigest(outcome, digest);
  await writeBeside(folder, merged.files, [...carriedOver, ...(await descriptionsOf(opened, outcome, digest))]);
  await verifyExport(opened, { digest, experiment, recipe: winner.recipe, tasks }, folder, signal);
  return digest;
}

/** What people and programs read of the merge: the recipe in our words and, if it can say it, in mergekit's, and the model card. */
async function descriptionsOf(
  { checkpoints, model }: Workspace,
  outcome: PickedOutcome,
  weightsDigest: string,
): Promise<ReadonlyMap<DescriptionFile, string | Uint8Array>> {
  const experiment = withoutFolders(outcome.experiment);
  const { recipe } = outcome.winner;
  const files = recipeFiles(recipe);
  const licences = await licencesOf(checkpoints);
  const { records } = readJournal(outcome.folder);
  const facts = { weightsDigest, version: evomergeVersion(), run: runFacts(records), licences };
  const adapters = new Set([...checkpoints].flatMap(([name, { isAdapter }]) => (isAdapter ? [name] : [])));
  const baseDtype = commonDtype(baseOf(checkpoints).tensors.values());
  return new Map<DescriptionFile, string | Uint8Array>([
    ...files,
    ...(isForMergekit(recipe, { model, checkpoints })
      ? [["mergekit_config.yml", mergekitConfig({ experiment, recipe, model, baseDtype, adapters })] as const]
      : []),
    ["README.md", modelCard({ ...outcome, experiment }, facts)],
  ]);
}

async function licencesOf(parents: Workspace["checkpoints"]): Promise<ReadonlyMap<string, string | undefined>> {
  const licences = new Map<string, string | undefined>();
  for (const [name, { folder }] of parents) licences.set(name, await licenceOf(folder));
  return licences;
}

function checkDigest({ folder, verdict }: Outcome, weightsDigest: string): void {
  if (verdict === undefined || verdict.weightsDigest === weightsDigest) return;
  throw new UserError(
    `${folder}: expected merged weights of digest ${verdict.weightsDigest}, as they were scored, found ${weightsDigest}; export with the engine and versions that the journal's first record names`,
  );
}
