import { basename, dirname } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { tensorBytes } from "../../checkpoint/safetensors-header.ts";
import { weightBytes } from "../../checkpoint/weight-bytes.ts";
import type { WrittenFile } from "../../checkpoint/write-checkpoint.ts";
import { UserError } from "../../errors.ts";
import { checkAliases } from "../../experiment/check-aliases.ts";
import { evomergeVersion } from "../../files/own-package.ts";
import { bytesText } from "../../files/bytes-text.ts";
import { freeBytesAt } from "../../files/free-bytes.ts";
import type { Hub } from "../../hub/api/hub.ts";
import { mergeFiles } from "../../merge-files/merge-files.ts";
import type { PlannedWeight } from "../../merge-files/plan.ts";
import { MergeThreads } from "../../merge-files/threads.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { knownModel } from "../../mergekit/model-places.ts";
import type { MergekitRecipeInput } from "../../mergekit/recipe-file.ts";
import type { RunEvent } from "../../run/session/events.ts";
import { commonDtype } from "../common-dtype.ts";
import { ExportPlace } from "../export-place.ts";
import { filesOfBase } from "../files-of-base.ts";
import { licenceOf } from "../licence.ts";
import { checkNoParent } from "../no-parent.ts";
import { writeBeside } from "../write-beside.ts";
import { withChatTemplate } from "./chat-template.ts";
import { mergeCard } from "./merge-card.ts";
import { mergedFields } from "./merged-config.ts";
import { type OpenedModel, openModels } from "./open-models.ts";
import { oneVocabulary } from "./one-vocabulary.ts";
import { openRecipe } from "./open-recipe.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

export interface MergeModelsOptions {
  /** A file of mergekit's YAML or the recipe.json of an export, or either as an object. */
  readonly recipe: string | MergekitRecipeInput | Recipe;
  /** Folder of the merged model; an earlier export there is replaced, and nothing else. */
  readonly to: string;
  /** The models that a recipe.json names, as folders or names on the Hub; those of its run unless given. */
  readonly base?: string | undefined;
  readonly experts?: Readonly<Record<string, string>> | undefined;
  /** Whose tokens a merge of these has: `base`, `union` or the name of an expert; as in its run, or else `base`, unless given. */
  readonly tokenizer?: string | undefined;
  /** Whether known faults of mergekit are to be repeated, so that the weights are its; of its recipes only. */
  readonly mergekitCompat?: boolean | undefined;
  /** Of methods that draw at random: 0 unless given. A recipe.json has its own. */
  readonly seed?: number | undefined;
  /** Weights of more bytes are divided into files: 5 GB unless given. */
  readonly maxShardBytes?: number | undefined;
  /** The environment's unless given. */
  readonly hub?: Hub | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: MergeEvent) => void) | undefined;
}

/** What a merge tells while it goes on. */
export type MergeEvent = Extract<RunEvent, { type: "notice" | "fetching" | "merging" }>;

export interface MergedModel {
  /** Folder of the model. */
  readonly model: string;
  /** Those of its weights. */
  readonly files: readonly WrittenFile[];
  /** Of all weights. */
  readonly bytes: number;
  readonly tensors: number;
}

/**
 * Merges models by a recipe into a Hugging Face folder, tensor by tensor, without a device. What is wrong with recipe, models or
 * disk is a UserError before any weight is read. The model is written beside its place, read back, and then takes its
 * place at once: whoever is killed meanwhile leaves nothing under its name.
 */
export async function mergeModels(options: MergeModelsOptions): Promise<MergedModel> {
  const { to, hub, signal, onEvent } = options;
  const onNotice = (text: string): void => onEvent?.({ type: "notice", text });
  const recipe = await openRecipe(options);
  await using place = await ExportPlace.take(to, { signal, onNotice });
  await using threads = new MergeThreads();
  const opened = new Map<string, OpenedModel>();
  // A merge is about as large as any of its models.
  const onFolder = async (folder: string): Promise<void> => threads.begin(await weightBytes(folder));
  try {
    const onProgress = (done: { readonly doneBytes: number; readonly totalBytes: number }): void =>
      onEvent?.({ type: "fetching", ...done });
    await openModels(recipe.models, opened, { ...(hub && { hub }), signal, onNotice, onProgress, onFolder });
    for (const { checkpoint } of opened.values()) await checkTied(checkpoint, signal);
    const merged = await writeMerge(recipe, opened, place, { ...options, onNotice, threads });
    // Weights are read once and not hashed: what came of a file that was written to meanwhile is of neither.
    for (const { checkpoint } of opened.values()) await checkpoint.checkUnchanged();
    await place.publish();
    return { model: place.shown, ...merged };
  } catch (error) {
    throw inFile(recipe.path, error);
  } finally {
    for (const { checkpoint } of opened.values()) await checkpoint[Symbol.asyncDispose]();
  }
}

/** A fault of the recipe with the file in the place of the word. */
function inFile(path: string | undefined, error: unknown): unknown {
  if (path === undefined || !(error instanceof UserError) || !error.message.startsWith("recipe: ")) return error;
  return new UserError(
    error.message.replace("recipe", () => path),
    { cause: error },
  );
}

/** A UserError where the merge, which has a tied weight once, would lose what a model has under its other name. */
async function checkTied(checkpoint: Checkpoint, signal: AbortSignal | undefined): Promise<void> {
  const model = knownModel(checkpoint);
  if (model) await checkAliases(model, checkpoint, { signal });
}

interface WritingOptions extends MergeModelsOptions {
  readonly onNotice: (text: string) => void;
  readonly threads: MergeThreads;
}

async function writeMerge(
  recipe: RecipeToMerge,
  opened: ReadonlyMap<string, OpenedModel>,
  place: ExportPlace,
  { mergekitCompat, seed, maxShardBytes, signal, onEvent, onNotice, threads: begun }: WritingOptions,
): Promise<Omit<MergedModel, "model">> {
  const { checkpoints, changes, tokenizer } = await oneVocabulary(opened, recipe.tokenizer, { signal, onNotice });
  await checkNoParent(checkpoints, place);
  const plan = recipe.plan(checkpoints, { isCompatible: mergekitCompat, seed, onNotice });
  const specs = plan.weights.map(({ spec }) => spec);
  const bytes = await checkRoom(plan.weights, place);
  const dtype = commonDtype(specs);
  const [donor, folder] = [checkpoints.get(recipe.donor), opened.get(recipe.donor)?.folder];
  if (!donor || folder === undefined) throw new Error(`merge: no model ${recipe.donor}`);
  const fields = { ...changes, ...mergedFields(plan, dtype, checkpoints, donor) };
  const merge = { dtype, fields, ...(tokenizer && { tokenizer }), signal };
  const carriedOver = await withChatTemplate(await filesOfBase(folder, merge, onNotice), recipe, opened);
  if (!["tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json"].some((file) => carriedOver.has(file)))
    onNotice(`${folder} has no tokenizer, and neither has the merge; put the files of one into its folder`);
  const onProgress = (doneBytes: number, totalBytes: number): void =>
    onEvent?.({ type: "merging", doneBytes, totalBytes });
  const files = await mergeFiles(plan.weights, checkpoints, place.staged, { begun, signal, onProgress, maxShardBytes });
  const card = await cardOf(recipe, opened, basename(place.path));
  await writeBeside(place.staged, files, [...carriedOver, ...recipe.files(checkpoints), ["README.md", card]]);
  return { files, bytes, tensors: specs.length };
}

/** The bytes of all weights; a UserError where the disk has no room for them. */
async function checkRoom(weights: readonly PlannedWeight[], { path, shown }: ExportPlace): Promise<number> {
  const bytes = weights.reduce((sum, { spec }) => sum + tensorBytes(spec), 0);
  const free = await freeBytesAt(dirname(path));
  if (bytes <= free) return bytes;
  throw new UserError(
    `cannot write ${shown}: the merge takes ${bytesText(bytes)}, and ${bytesText(free)} are free there; make room, or merge to another disk`,
  );
}

async function cardOf(
  { method, text }: RecipeToMerge,
  opened: ReadonlyMap<string, OpenedModel>,
  name: string,
): Promise<string> {
  const listed = Array.from(opened, async ([key, { checkpoint, source }]) => ({
    name: basename(key),
    path: source,
    licence: await licenceOf(checkpoint.folder),
  }));
  const facts = { name, method, text, version: evomergeVersion() };
  return mergeCard({ ...facts, models: await Promise.all(listed) });
}
