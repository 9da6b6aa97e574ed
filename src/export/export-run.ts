import { UserError } from "../errors.ts";
import { join, resolve } from "node:path";
import { evomergeVersion } from "../files/own-package.ts";
import { baseOf } from "../experiment/the-base.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { type Hub, openHub } from "../hub/api/hub.ts";
import { checkPush, pushFolder, type Pushed } from "../hub/transfer/push.ts";
import { readJournal } from "../journal/journal.ts";
import type { ParentFacts } from "../merge/facts.ts";
import type { Step } from "../merge/recipe.ts";
import type { CommandFor } from "../report/next-steps.ts";
import { readOutcome } from "../run/read-outcome.ts";
import type { Outcome } from "../run/carry-on.ts";
import type { ReopenOptions, RunOptions } from "../run/run-options.ts";
import { ExportPlace } from "./export-place.ts";
import { checkReplaceable } from "./earlier-export.ts";
import { lmEvalCommand } from "./lm-eval-command.ts";
import { checkNoParent } from "./no-parent.ts";
import { pickedOutcome, pickedPlace, type PickedOutcome } from "./picked.ts";
import { planStarterKit, type StarterKitExport } from "./starter-kit/export-starter-kit.ts";
import { findTarget } from "./target-folder.ts";
import { writeModel } from "./write-model.ts";

export interface ExportOptions extends ReopenOptions {
  /** Folder of the model; `best` in the run's folder unless given, of what was picked `front-<place>`. */
  readonly to?: string | undefined;
  /** A member of the run's front in place of the winner: `knee`, a task or a place on it. */
  readonly pick?: string | undefined;
  /** How the commands are worded that a refusal tells. */
  readonly commandFor?: CommandFor | undefined;
  /** Checkout of the LLM-Merging competition's starter kit, to write the merge into as a class. */
  readonly starterKit?: string | undefined;
  /** Repository of the Hub to upload the folder to. */
  readonly push?: { readonly name: string; readonly private?: boolean | undefined } | undefined;
}

export interface ExportResult extends PickedOutcome {
  /** Folder of the model. */
  readonly model: string;
  /** Digest of the merged weights; equal to the verdict's, where there is one. */
  readonly weightsDigest: string;
  /** The command that evaluates the model. */
  readonly lmEval: string;
  readonly starterKit?: StarterKitExport;
  readonly pushed?: Pushed;
}

/**
 * Exports the winner of a run, or the best so far of one that goes on still, or a member of its front, as a Hugging Face folder. The model is
 * written beside its place, read back and scored again, and only then takes its place; an earlier export stays until
 * then. Throws a UserError when the weights are not those that were scored, when another export goes to the same place,
 * and for a folder that holds anything but an earlier export as it was written.
 */
export async function exportRun(run: string, options: ExportOptions = {}): Promise<ExportResult> {
  const { to, push, signal, onEvent } = options;
  // A folder that is no run gets nothing written into it.
  const { records } = readJournal(run);
  const place = options.pick === undefined ? undefined : pickedPlace(run, records, options.pick, options.commandFor);
  const model = placeOf(run, to, place);
  await using target = await ExportPlace.take(model, {
    signal,
    onNotice: (text) => onEvent?.({ type: "notice", text }),
  });
  const upload = push && { ...push, hub: options.hub ?? (await openHub()) };
  // Before anything is merged.
  if (upload) checkPush(upload.hub, upload.name);
  const { workspace, tasks, ...read } = await readOutcome(run, options);
  const outcome = place === undefined ? read : pickedOutcome(read, place);
  await using opened = workspace;
  await checkNoParent(opened.checkpoints, { path: target.path, shown: model });
  const addToStarterKit = await planAddition(opened, outcome, options.starterKit);
  const weightsDigest = await writeModel(opened, outcome, { ...options, tasks, folder: target.staged });
  await target.publish();
  // Only once the weights are known to be those of the run.
  const starterKit = await addToStarterKit?.();
  onEvent?.({ type: "exported", folder: model, weightsDigest });
  const pushed = upload && (await pushModel(upload, { model, outcome, signal, onEvent }));
  return {
    ...outcome,
    model,
    weightsDigest,
    lmEval: lmEvalCommand(model),
    ...(starterKit && { starterKit }),
    ...(pushed && { pushed }),
  };
}

/** Throws the UserError that an export of a run would meet at its place, before hours go into the run. */
export async function checkExportPlace(run: string, { to, signal }: ExportOptions = {}): Promise<void> {
  const { path, shown } = await findTarget(placeOf(run, to));
  await checkReplaceable(path, shown, signal);
}

function placeOf(run: string, to: string | undefined, place?: number): string {
  return resolve(to ?? join(run, place === undefined ? "best" : `front-${place}`));
}

async function planAddition(
  opened: Workspace,
  { experiment, winner }: Outcome,
  kit: string | undefined,
): Promise<(() => Promise<StarterKitExport>) | undefined> {
  if (kit === undefined) return undefined;
  const { recipe } = winner;
  if (recipe.method === "stack")
    throw new UserError(
      "the winner is a stack of layers, and a module of the starter kit merges each tensor with those of its name; export it without --starter-kit, or search a space with another method",
    );
  for (const [name, { isAdapter, isPickled, isView }] of opened.checkpoints) {
    const [lack, instead] = isAdapter
      ? ["is a LoRA adapter", "the full model that peft's merge_and_unload makes of its base"]
      : isView
        ? ["has not the embeddings of its merge", "models of one vocabulary, whose heads are all tied or none"]
        : ["has no weights in safetensors", "a copy that has"];
    if (isAdapter || isView || isPickled)
      throw new UserError(
        `${name} ${lack}, which a module of the starter kit cannot merge; search with ${instead} in its place`,
      );
  }
  const { model, weights } = opened;
  const baseTensors = baseOf(opened.checkpoints).tensors;
  const measure = (name: string, step: Step): Promise<ParentFacts> => weights.measure(name, step);
  const version = evomergeVersion();
  return planStarterKit({ experiment, recipe, measure, model, baseTensors, version }, kit);
}

async function pushModel(
  { hub, name, ...visibility }: NonNullable<ExportOptions["push"]> & { readonly hub: Hub },
  { model, outcome, signal, onEvent }: RunOptions & { readonly model: string; readonly outcome: Outcome },
): Promise<Pushed> {
  const message = `Upload ${outcome.experiment.name}: ${outcome.winner.name}`;
  const onProgress = (progress: { readonly doneBytes: number; readonly totalBytes: number }): void =>
    onEvent?.({ type: "pushing", ...progress });
  return pushFolder(hub, name, model, { ...visibility, message, signal, onProgress });
}
