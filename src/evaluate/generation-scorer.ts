/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import pLimit, { type LimitFunction } from "p-limit";
import type { DeviceTensor } from "../device/device.ts";
import type { Recipe } from "../merge/recipe.ts";
import { DeviceBatches, type BatchShare } from "./device-batches.ts";
import { packPrompts, splitByTokens, type PackedBatch, type Prompt } from "./pack.ts";
import { runShare, stepsOf, WeightsHashing, type Merging, type StageRun } from "./stage-run.ts";

/** Share of the device that activations of all candidates may take. */
const ACTIVATIONS_SHARE = 0.4;

/** How much longer a stage may take than it would if all lanes were busy throughout. */
const MAX_IDLE = 1.15;

/** Candidates that agree so far, and their activations: a tensor for each batch. */
interface Branch {
  readonly members: readonly number[];
  readonly activations: readonly DeviceTensor[];
}

export interface ScorerOptions extends Merging {
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
}

export interface GenerationScores {
  /** Summed log-likelihoods in nats: [candidate][prompt][continuation]. */
  readonly logLikelihoods: readonly (readonly Float64Array[])[];
  /** Hash of the very weights that were scored for the candidate that `digestOf` named. */
  readonly digest?: string;
}

export interface ScoreOptions {
  /** Looked at between two runs of the device; when it aborts, its reason is thrown and nothing stays on the device. */
  readonly signal?: AbortSignal | undefined;
  /** The candidate whose merged weights are to be hashed while they are scored. */
  readonly digestOf?: number | undefined;
  /** Told the share of the pass that is done, after each stage. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export class GenerationScorer {
  readonly #options: ScorerOptions;
  /** Two passes at once would share, and drop, each other's stages of the parents. */
  readonly #turn: LimitFunction = pLimit(1);

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  /**
   * Log-likelihoods of all prompts under every recipe; every recipe sees the same batches. Where the activations of all
   * candidates would not fit on the device at once, the prompts are scored in several passes. Calls take turns.
   */
  score(recipes: readonly Recipe[], prompts: readonly Prompt[], options: ScoreOptions = {}): Promise<GenerationScores> {
    return this.#turn(() => this.#score(recipes, prompts, options));
  }

  async #score(
    recipes: readonly Recipe[],
    prompts: readonly Prompt[],
    { signal, digestOf, onProgress }: ScoreOptions,
  ): Promise<GenerationScores> {
    const { model, batchTokens } = this.#options;
    const passes = splitByTokens(
      packPrompts(prompts, { batchTokens, window: model.window }),
      this.#tokensOfAPass(recipes),
    );
    const hashing = digestOf === undefined ? undefined : new WeightsHashing(digestOf);
    const logLikelihoods = recipes.map(() =>
      prompts.map(({ continuations }) => new Float64Array(continuations.length)),
    );
    for (const [done, packed] of passes.entries()) {
      const report = (share: number): void => onProgress?.((done + share) / passes.length);
      await this.#pass(packed, { recipes, hashing, signal, report, logLikelihoods });
    }
    return hashing ? { logLikelihoods, digest: hashing.digest.digest() } : { logLikelihoods };
  }

  /** Padded tokens whose activations, f32 [tokens, hidden] for each candidate, may be on the device together. */
  #tokensOfAPass(recipes: readonly Recipe[]): number {
    const { device, model } = this.#options;
    return Math.floor((device.memory.capacityBytes * ACTIVATIONS_SHARE) / (recipes.length * model.hiddenSize * 4));
  }

  /** Sends some batches through all stages and adds up what the last one says of them. */
  async #pass(packed: readonly PackedBatch[], pass: Pass): Promise<void> {
    const { device, model, parents } = this.#options;
    const batches = await DeviceBatches.upload(device, model, packed);
    const held = new Set<Branch>();
    let branches: readonly Branch[] = [{ members: [...pass.recipes.keys()], activations: [] }];
    try {
      for (const index of parents.stages.keys()) {
        const tensors = await parents.load(index);
        const stage = { merging: this.#options, index, tensors, batches, ...pass };
        try {
          branches = await this.#advance(branches, stage, held, pass.signal);
        } finally {
          parents.release(index);
        }
        pass.report((index + 1) / parents.stages.length);
      }
      await this.#collect(branches, batches, pass.logLikelihoods);
    } finally {
      for (const branch of held) device.free(...branch.activations);
      batches.free();
    }
  }

  /** Runs one stage for every branch, splitting it where its candidates differ; frees the activations it consumed. */
  async #advance(
    branches: readonly Branch[],
    stage: StageRun,
    held: Set<Branch>,
    signal: AbortSignal | undefined,
  ): Promise<Branch[]> {
    const { device } = this.#options;
    const limit = pLimit(device.concurrency);
    const splits = branches.map((branch) => ({ branch, parts: splitMembers(branch, stage) }));
    const candidates = splits.reduce((sum, { parts }) => sum + parts.length, 0);
    const shares = stage.batches.divide(sharesFor(candidates, device.concurrency));
    const run = (branch: Branch, members: readonly number[], share: BatchShare): Promise<DeviceTensor[]> =>
      limit(async () => {
        signal?.throwIfAborted();
        return runShare(stage, members, branch.activations, share);
      });
    const runs = splits.map(async ({ branch, parts }) => {
      const settled = await Promise.all(
        parts.map((members) => Promise.allSettled(shares.map((share) => run(branch, members, share)))),
      );
      device.free(...branch.activations);
      held.delete(branch);
      // What there is of a branch is held even if a share of it failed.
      const advanced = settled.map((results, i) => ({ members: parts[i]!, activations: succeeded(results) }));
      for (const part of advanced) held.add(part);
      return { advanced, failure: settled.flat().find((result) => result.status === "rejected") };
    });
    // Every run is over before a failure is thrown: whatever it reads may be freed then.
    return (await Promise.all(runs)).flatMap(({ advanced, failure }) => {
      if (failure) throw failure.reason;
      return advanced;
    });
  }

  async #collect(branches: readonly Branch[], batches: DeviceBatches, sums: Pass["logLikelihoods"]): Promise<void> {
    for (const { members, activations } of branches) {
      for (const [i, { targets }] of batches.targets.entries()) {
        const bytes = await this.#options.device.read(activations[i]!);
        const values = new Float32Array(bytes.buffer, bytes.byteOffset, targets.length);
        for (const [j, { prompt, continuation }] of targets.entries()) {
          for (const member of members) sums[member]![prompt]![continuation]! += values[j]!;
        }
      }
    }
  }
}

/** What all stages of a pass share. */
interface Pass extends Pick<StageRun, "recipes" | "hashing"> {
  readonly signal: AbortSignal | undefined;
  readonly report: (share: number) => void;
  /** Sums so far: [candidate][prompt][continuation]. */
  readonly logLikelihoods: readonly (readonly Float64Array[])[];
}

/** The branch's candidates, grouped by their coefficients in this stage. */
function splitMembers({ members }: Branch, stage: StageRun): number[][] {
  const groups = new Map<string, number[]>();
  for (const member of members) {
    const key = JSON.stringify(stepsOf(stage, stage.recipes[member]!));
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  return [...groups.values()];
}

/**
 * Into how many runs to divide the batches of each candidate, so that candidates that do not fill the device's lanes
 * evenly leave few of them idle. A candidate's weights are merged in each of its runs, hence no more than needed.
 */
function sharesFor(candidates: number, lanes: number): number {
  for (let shares = 1; shares < lanes; shares += 1) {
    const rounds = Math.ceil((candidates * shares) / lanes) / shares;
    if (rounds <= MAX_IDLE * (candidates / lanes)) return shares;
  }
  return lanes;
}

function succeeded(results: readonly PromiseSettledResult<DeviceTensor[]>[]): DeviceTensor[] {
  return results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}
