import { BASE, baseOf } from "./the-base.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import type { Device } from "../device/device.ts";
import { UserError } from "../errors.ts";
import { Evaluator } from "../evaluate/evaluator.ts";
import { GenerationScorer } from "../evaluate/generation-scorer.ts";
import { ParentWeights } from "../evaluate/parent-weights.ts";
import type { Scorer } from "../evaluate/scorer.ts";
import type { Model } from "../model/architecture.ts";
import { openModel } from "../model/open-model.ts";
import { Tokenizer, type TokenizerSource } from "../model/tokenizer/tokenizer.ts";
import type { Precision } from "./experiment.ts";
import { productDtypes, type ResolvedPrecision, resolvePrecision } from "./precision.ts";
import { type NamedEngine, openEngine, type OpenedEngine } from "./open-engine.ts";
import { compareParents } from "./compare-parents.ts";
import type { ConfigChanges } from "../vocabulary/config-changes.ts";
import type { Vocabulary, VocabularyPolicy } from "../vocabulary/plan-vocabulary.ts";
import { viewCheckpoints } from "../vocabulary/view-checkpoints.ts";
import { policyOf } from "./tokenizer-policy.ts";
import { firstFault } from "./parent-finding.ts";
import { filesOfCheckpoint } from "./parent-files.ts";

/** Padded tokens of a batch: enough to keep a GPU busy, little enough to stop soon. */
export const GPU_BATCH_TOKENS = 16_384;

/**
 * The same on any device. On a CPU, fewer stay in its caches and need less padding, but cost more graphs, which small models
 * feel (bench/RESULTS.md).
 */
export function batchTokensFor({ kind }: Pick<Device, "kind">, { hiddenSize }: Pick<Model, "hiddenSize">): number {
  if (kind === "gpu") return GPU_BATCH_TOKENS;
  return hiddenSize < 512 ? 2048 : 1024;
}

/** What is known of the engine that scores, here or elsewhere. */
export type EngineFacts = Pick<Device, "name" | "kind" | "fastestProducts" | "concurrency">;

/** Which of a workspace's evaluators a scorer is for. */
export type ScorerUse = "evaluator" | "signal";

/** What scores merges in place of a workspace's own device. */
export interface Elsewhere {
  readonly engine: EngineFacts;
  /** Why this engine, in one clause. */
  readonly why: string;
  /** A scorer of merges of these parents, in batches of so many padded tokens; `own` makes those of the workspace's device. */
  scorer(use: ScorerUse, batchTokens: number, parents: ScoredParents, own: Workspace["scorer"]): Scorer;
}

/** All that scores depend on, but for the rows. */
export type ScoredParents = Pick<Workspace, "engine" | "precision" | "model" | "checkpoints" | "experts" | "tokenizer">;

/** A base, its experts and an engine, checked against each other, open and ready to score merges. */
export interface Workspace extends AsyncDisposable {
  readonly device: Device;
  /** What scores: the device, unless that is done elsewhere. */
  readonly engine: EngineFacts;
  /** Why this engine, in one clause. */
  readonly why: string;
  /** Of matrix products. */
  readonly precision: ResolvedPrecision;
  readonly model: Model;
  /** Base first, then the experts, each with the tokens that the merges have. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly vocabulary: WorkspaceVocabulary;
  readonly experts: readonly string[];
  readonly weights: ParentWeights;
  readonly tokenizer: Tokenizer;
  /** For whatever is compared or shipped. */
  readonly evaluator: Evaluator;
  /** For what only steers the search; the same one where the precision is. */
  readonly signal: Evaluator;
  /** What an evaluator scores with, in batches of so many padded tokens. */
  scorer(use: ScorerUse, batchTokens: number): Scorer;
}

/** The tokens of merges, and what is not true of them in the config.json of the base. */
export interface WorkspaceVocabulary extends Vocabulary {
  readonly changes: ConfigChanges;
}

export interface WorkspaceOptions extends NamedEngine {
  /** Folder of the base model. */
  readonly base: string;
  readonly experts: readonly { readonly name: string; readonly path: string }[];
  /** Whose tokens its merges have: `base`, which it is unless given, `union`, or the name of an expert. */
  readonly tokenizer?: string;
  readonly precision: Precision;
}

export interface OpeningOptions {
  readonly engine?: OpenedEngine;
  /** Scores in place of the engine, which is left what else there is to compute. */
  readonly elsewhere?: Elsewhere | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know of the parents, and what better engine does not work here, unless the engine is given. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Wall-clock time in milliseconds; that of this machine unless given. */
  readonly now?: (() => number) | undefined;
  /** The parents' weights, for whoever only plans what is made of them. */
  readonly parents?: ((checkpoints: Workspace["checkpoints"]) => ParentWeights) | undefined;
}

/**
 * Opens parents and, unless it is given, the engine, which is the workspace's from here on. A fault of a file, a shape or
 * a vocabulary is a UserError before any weight is read. Rejects with the reason of a signal that is aborted while a
 * tokenizer is read.
 */
export async function openWorkspace(
  options: WorkspaceOptions,
  { engine: given, elsewhere, signal, onNotice, now, parents: weightsOf }: OpeningOptions = {},
): Promise<Workspace> {
  const open: AsyncDisposable[] = given ? [given.device] : [];
  const close = async (): Promise<void> => {
    for (const resource of open.toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    const opened = new Map<string, Checkpoint>();
    for (const { name, path } of [{ name: BASE, path: options.base }, ...options.experts]) {
      if (opened.has(name))
        throw new UserError(`an expert is named "${BASE}"; give it another name, the base has this one`);
      const checkpoint = await openCheckpoint(path, { base: name === BASE ? undefined : options.base });
      open.push(checkpoint);
      opened.set(name, checkpoint);
    }
    // No engine is needed to refuse parents that do not fit together.
    const { tokenizer, vocabulary } = await checkParents(opened, policyOf(options), { signal, onNotice });
    open.push(tokenizer);
    const { checkpoints, changes } = viewCheckpoints(opened, vocabulary);
    const { device, why } = given ?? (await openEngine(options, onNotice));
    if (!given) open.push(device);
    const { engine, why: chosen } = elsewhere ?? { engine: device, why };
    const precision = resolvePrecision(options.precision, engine);
    const dtypes = productDtypes(precision);
    const base = baseOf(checkpoints);
    const models = { evaluator: openModel(base, dtypes.exact), signal: openModel(base, dtypes.signal) };
    const model = models.evaluator;
    const weights = weightsOf?.(checkpoints) ?? new ParentWeights(device, checkpoints);
    open.push(weights);
    const experts = options.experts.map(({ name }) => name);
    const parents = { engine, precision, model, checkpoints, experts, tokenizer };
    const own = (use: ScorerUse, batchTokens: number): Scorer =>
      new GenerationScorer({ device, model: models[use], parents: weights, base: BASE, experts, batchTokens, now });
    const scorer = (use: ScorerUse, batchTokens: number): Scorer =>
      elsewhere?.scorer(use, batchTokens, parents, own) ?? own(use, batchTokens);
    const batchTokens = batchTokensFor(engine, model);
    const evaluator = new Evaluator(scorer("evaluator", batchTokens), tokenizer, model);
    const isOne = dtypes.signal === dtypes.exact;
    return {
      ...parents,
      device,
      why: chosen,
      vocabulary: { ...vocabulary, changes },
      weights,
      evaluator,
      signal: isOne ? evaluator : evaluator.withScorer(scorer("signal", batchTokens)),
      scorer,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The tokenizer of merges, once everything that the parents' files tell is found to fit together. */
async function checkParents(
  checkpoints: Workspace["checkpoints"],
  policy: VocabularyPolicy,
  { signal, onNotice }: OpeningOptions,
): Promise<{ readonly tokenizer: Tokenizer; readonly vocabulary: Vocabulary }> {
  const base = baseOf(checkpoints);
  const load = async (source: TokenizerSource): Promise<Tokenizer> => {
    const { encoding } = openModel(base, "f32");
    return Tokenizer.load(source, { isApart: encoding !== undefined }, signal);
  };
  let ofBase: Tokenizer | undefined;
  const loadOnce = async (): Promise<Tokenizer> => (ofBase ??= await load({ folder: base.folder }));
  try {
    const parents = Array.from(checkpoints.values(), async (checkpoint) => ({
      ...(await filesOfCheckpoint(checkpoint)),
      ...(checkpoint === base && { tokenizer: loadOnce }),
    }));
    const { findings, vocabulary } = await compareParents(await Promise.all(parents), { policy, signal });
    const fault = firstFault(findings);
    if (fault !== undefined) throw new UserError(fault);
    if (!vocabulary) throw new Error("workspace: no vocabulary");
    for (const { text } of findings) onNotice?.(text);
    const { folder, more } = vocabulary.tokenizer;
    if (folder === base.folder && !more) return { tokenizer: await loadOnce(), vocabulary };
    const tokenizer = await load(vocabulary.tokenizer);
    await ofBase?.[Symbol.asyncDispose]();
    return { tokenizer, vocabulary };
  } catch (error) {
    await ofBase?.[Symbol.asyncDispose]();
    throw error;
  }
}
