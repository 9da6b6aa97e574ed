/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import pLimit from "p-limit";
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { storedDtype, type Device, type DeviceTensor } from "../device/device.ts";
import { gatherRows, input, logProbability, type Expression } from "../device/expression.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import { stepAt, type Recipe } from "../merge/recipe.ts";
import type { Model, StageTensors, Weight } from "../model/architecture.ts";
import { DeviceBatches } from "./device-batches.ts";
import { packPrompts, splitByTokens, type PackedBatch, type Prompt } from "./pack.ts";
import type { ParentTensors, ParentWeights } from "./parent-weights.ts";

/** Share of the device that activations of all candidates may take. */
const ACTIVATIONS_SHARE = 0.4;

/** Candidates that agree so far, and their activations: a tensor for each batch. */
interface Branch {
  readonly members: readonly number[];
  readonly activations: readonly DeviceTensor[];
}

export interface ScorerOptions {
  readonly device: Device;
  readonly model: Model;
  readonly parents: ParentWeights;
  readonly base: string;
  readonly experts: readonly string[];
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

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  /**
   * Log-likelihoods of all prompts under every recipe; every recipe sees the same batches. Where the activations of all
   * candidates would not fit on the device at once, the prompts are scored in several passes.
   */
  async score(
    recipes: readonly Recipe[],
    prompts: readonly Prompt[],
    { signal, digestOf, onProgress }: ScoreOptions = {},
  ): Promise<GenerationScores> {
    const { model, batchTokens } = this.#options;
    const passes = splitByTokens(
      packPrompts(prompts, { batchTokens, window: model.window }),
      this.#tokensOfAPass(recipes),
    );
    const hashing =
      digestOf === undefined
        ? undefined
        : { candidate: digestOf, digest: new WeightsDigest(), names: new Set<string>() };
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
        try {
          branches = await this.#advance(branches, { ...pass, index, tensors, batches, held });
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
  async #advance(branches: readonly Branch[], stage: StageRun): Promise<Branch[]> {
    const { device } = this.#options;
    const limit = pLimit(device.concurrency);
    const runPart = (branch: Branch, members: readonly number[]): Promise<Branch> =>
      limit(async () => {
        stage.signal?.throwIfAborted();
        return this.#runPart(branch, members, stage);
      });
    const splits = branches.map((branch) => ({ branch, parts: this.#split(branch, stage) }));
    const runs = splits.map(async ({ branch, parts }) => {
      const settled = await Promise.allSettled(parts.map((members) => runPart(branch, members)));
      device.free(...branch.activations);
      stage.held.delete(branch);
      return settled;
    });
    // Every run is over before a failure is thrown: whatever it reads may be freed then.
    return (await Promise.all(runs)).flat().map((part) => {
      if (part.status === "rejected") throw part.reason;
      return part.value;
    });
  }

  /** The branch's candidates, grouped by their coefficients in this stage. */
  #split({ members }: Branch, { index, recipes }: StageRun): number[][] {
    const groups = new Map<string, number[]>();
    for (const member of members) {
      const key = JSON.stringify(
        this.#weightsOf(index).map(([, weight]) => stepAt(recipes[member]!, weight, this.#options.experts)),
      );
      groups.set(key, [...(groups.get(key) ?? []), member]);
    }
    return [...groups.values()];
  }

  async #runPart(branch: Branch, members: readonly number[], stage: StageRun): Promise<Branch> {
    const { device } = this.#options;
    const merged = this.#merge(stage, stage.recipes[members[0]!]!);
    const activations = this.#forward(stage, merged, branch.activations.map(input));
    const hashed = members.includes(stage.hashing?.candidate ?? -1) ? this.#unhashed(stage) : [];
    const results = await device.run([...activations, ...hashed.map(([role]) => merged[role]!)]);
    const weights = results.slice(activations.length);
    for (const [i, [, { name }]] of hashed.entries()) {
      const weight = weights[i]!;
      const spec = { name, dtype: storedDtype(weight), shape: weight.shape };
      await stage.hashing?.digest.add(spec, await device.read(weight));
      stage.hashing?.names.add(name);
    }
    device.free(...weights);
    const advanced = { members, activations: results.slice(0, activations.length) };
    stage.held.add(advanced);
    return advanced;
  }

  /** Weights of the stage whose hash is still to be taken; a tied head was hashed as the embedding. */
  #unhashed({ index, hashing }: StageRun): [string, Weight][] {
    return this.#weightsOf(index).filter(([, { name }]) => !hashing?.names.has(name));
  }

  #merge({ index, tensors }: StageRun, recipe: Recipe): StageTensors {
    const { base, experts } = this.#options;
    const merged = this.#weightsOf(index).map(([role, weight]) => {
      const models = Object.fromEntries(
        Object.entries(tensors[role] ?? {}).map(([name, tensor]) => [name, input(tensor)]),
      );
      return [role, mergeTensor({ models, base, experts }, stepAt(recipe, weight, experts))];
    });
    return Object.fromEntries(merged) as StageTensors;
  }

  /** What a stage computes from the activations of the stage before: hidden states, and log-probabilities at the end. */
  #forward({ index, batches }: StageRun, weights: StageTensors, activations: readonly Expression[]): Expression[] {
    const { model, parents } = this.#options;
    if (index === 0) return batches.tokens.map((batch) => model.embed(weights, batch));
    if (index < parents.stages.length - 1) {
      return batches.tokens.map((batch, i) => model.layer(weights, activations[i]!, batch, batches.periods));
    }
    return batches.targets.map(({ batch, rows, tokens }) =>
      logProbability(model.logits(weights, gatherRows(activations[batch]!, rows)), tokens),
    );
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

  #weightsOf(index: number): [string, Weight][] {
    return Object.entries(this.#options.parents.stages[index] ?? {});
  }
}

/** What all stages of a pass share. */
interface Pass {
  readonly recipes: readonly Recipe[];
  readonly hashing:
    | { readonly candidate: number; readonly digest: WeightsDigest; readonly names: Set<string> }
    | undefined;
  readonly signal: AbortSignal | undefined;
  readonly report: (share: number) => void;
  /** Sums so far: [candidate][prompt][continuation]. */
  readonly logLikelihoods: readonly (readonly Float64Array[])[];
}

/** One stage of a pass: its parents and the pass's batches on the device. */
interface StageRun extends Pass {
  readonly index: number;
  readonly tensors: ParentTensors;
  readonly batches: DeviceBatches;
  /** Branches whose activations are on the device. */
  readonly held: Set<Branch>;
}
