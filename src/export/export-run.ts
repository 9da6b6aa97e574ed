import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeFileAtomic } from "../checkpoint/atomic-file.ts";
import { UserError } from "../errors.ts";
import { evomergeVersion } from "../experiment/identity.ts";
import { BASE } from "../experiment/workspace.ts";
import { readOutcome, type Outcome, type RunOptions } from "../run/run-experiment.ts";
import { lmEvalCommand } from "./lm-eval-command.ts";
import { mergeWeights } from "./merge-weights.ts";
import { modelCard } from "./model-card.ts";
import { carryOver, checkReplaceable, emptyFolder, takePlace, writeManifest } from "./model-folder.ts";
import { verifyExport } from "./verify-export.ts";

export interface ExportOptions extends RunOptions {
  /** Folder of the model; `best` in the run's folder unless given. */
  readonly to?: string | undefined;
}

export interface ExportResult extends Outcome {
  /** Folder of the model. */
  readonly model: string;
  /** Digest of the merged weights; equal to the verdict's, where there is one. */
  readonly weightsDigest: string;
  /** The command that evaluates the model. */
  readonly lmEval: string;
}

/**
 * Exports the winner of a run, or the best so far of one that goes on still, as a Hugging Face folder. The model is
 * written beside its place, read back and scored again, and only then takes its place; an earlier export stays until
 * then. Throws a UserError when the weights are not those that were scored, and for a folder with other files in it.
 */
export async function exportRun(run: string, { to, onEvent, signal }: ExportOptions = {}): Promise<ExportResult> {
  const model = resolve(to ?? join(run, "best"));
  await checkReplaceable(model);
  const { workspace, tasks, ...outcome } = await readOutcome(run);
  await using opened = workspace;
  const { experiment, winner } = outcome;
  const staging = `${model}.incomplete`;
  await emptyFolder(staging);
  try {
    const onProgress = (share: number): void => onEvent?.({ type: "progress", phase: "export", share });
    const source = { ...opened, base: BASE };
    const weightsDigest = await mergeWeights(source, winner.recipe, staging, { signal, onProgress });
    checkDigest(outcome, weightsDigest);
    await carryOver(experiment.base, staging);
    await writeFileAtomic(join(staging, "recipe.json"), `${JSON.stringify(winner.recipe, null, 2)}\n`);
    await writeFileAtomic(join(staging, "README.md"), modelCard(outcome, weightsDigest, evomergeVersion()));
    await verifyExport(opened, { experiment, recipe: winner.recipe, tasks }, staging, signal);
    await writeManifest(staging);
    await takePlace(staging, model);
    onEvent?.({ type: "exported", folder: model, weightsDigest });
    return { ...outcome, model, weightsDigest, lmEval: lmEvalCommand(model) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function checkDigest({ folder, verdict }: Outcome, weightsDigest: string): void {
  if (verdict === undefined || verdict.weightsDigest === weightsDigest) return;
  throw new UserError(
    `${folder}: the merged weights have digest ${weightsDigest}, but those that were scored had ${verdict.weightsDigest}; export with the engine and versions that the journal's first record names`,
  );
}
