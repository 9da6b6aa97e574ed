/** What the benchmarks measure: a generation of merged candidates, scored on rows or only merged. */
import pLimit from "p-limit";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import { computedTokens, totalTokens } from "../src/evaluate/batch-sizes.ts";
import { packedLength, packPrompts, type PackedBatch, type Prompt } from "../src/evaluate/pack.ts";
import { type PathStage, stagePathsOf, routeAlong } from "../src/evaluate/path.ts";
import { withMerges } from "../src/evaluate/merges.ts";
import { promptsOf } from "../src/evaluate/prompt.ts";
import { mergeStage } from "../src/evaluate/stage-graph.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import { BASE } from "../src/experiment/the-base.ts";
import { batchTokensFor, openWorkspace, type Workspace } from "../src/experiment/workspace.ts";
import type { Recipe } from "../src/merge/recipe.ts";
import type { Model, Weight } from "../src/model/architecture.ts";
import { genomeOf } from "../src/space/spaces.ts";
import type { TaskRow } from "../src/tasks/rows.ts";
import { RandomStream } from "../src/tensor/random.ts";
import type { Product } from "./products.ts";

/** Parents, search space, engine and precision. */
export type Setting = Pick<Experiment, "base" | "experts" | "space" | "engine" | "precision">;

/** What scoring one candidate takes. */
export interface Work {
  readonly tokens: number;
  /** Tokens that layers compute, with what padding is left. */
  readonly computedTokens: number;
  /** Places of sequences in attention, with the padding that makes those of a batch equally long. */
  readonly places: number;
  /**
   * Of matrix products on tokens that are no padding: layers, attention, and the output head where it is needed, as the last
   * layer's output projection and MLP are.
   */
  readonly flop: number;
  /** Of the last layer on tokens that nobody reads, which are left out. */
  readonly sparedFlop: number;
  readonly prompts: readonly Prompt[];
  readonly packed: readonly PackedBatch[];
  /** The matrix products of one layer, for the largest batch. */
  readonly products: readonly Product[];
}

export interface Generation extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly candidates: number;
  readonly work: Work;
  readonly score: () => Promise<void>;
  /** Scores the base once: nothing is merged, and equal candidates would be computed once. */
  readonly scoreAlone: () => Promise<void>;
  /** Scores, and differentiates the sum of the rows' losses by every coefficient. */
  readonly differentiate: () => Promise<void>;
  /** Scores with a model that computes the same otherwise. */
  readonly scoreWith: (change: (model: Model) => Model) => () => Promise<void>;
  /** Computes every merged weight of every candidate, and drops it. */
  readonly merge: () => Promise<void>;
}

const unmerged: Recipe = { method: "passthrough", model: BASE };

/** Opens the parents and draws candidates around the start of the search space, no two of them equal. */
export async function openGeneration(
  setting: Setting,
  rows: readonly TaskRow[],
  candidates: number,
): Promise<Generation> {
  const workspace = await openWorkspace(setting);
  const { device, model, tokenizer, signal, experts } = workspace;
  const genome = genomeOf(setting.space, { ...workspace, base: BASE });
  const stream = RandomStream.of(1, "candidates");
  const recipes = Array.from({ length: candidates }, () =>
    genome.decode(genome.start.map((value) => Math.min(1, Math.max(0, value + 0.1 * stream.normal())))),
  );
  const tokenised = await tokenizer.encode(rows);
  const prompts = rows.flatMap((row, i) => promptsOf(row, tokenised[i]!, model).prompts);
  const batchTokens = batchTokensFor(device, model);
  const packed = packPrompts(prompts, { batchTokens, windows: model.windows });
  return {
    workspace,
    candidates,
    work: workOf(model, prompts, packed),
    score: async () => void (await signal.evaluate(recipes, { rows })),
    scoreAlone: async () => void (await signal.evaluate([unmerged], { rows })),
    differentiate: async () => void (await signal.gradient(recipes, { rows }, { rows: 1 })),
    scoreWith: (change) => {
      const merging = { device, model: change(model), parents: workspace.weights, base: BASE, experts };
      const other = workspace.signal.withScorer(new GenerationScorer({ ...merging, batchTokens }));
      return async () => void (await other.evaluate(recipes, { rows }));
    },
    merge: () => mergeAll(workspace, recipes),
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  };
}

/** What scoring these prompts takes, as they are packed. */
export function workOf(model: Model, prompts: readonly Prompt[], packed: readonly PackedBatch[]): Work {
  const layer = model.stages.find(({ place }) => place.layer === 0)?.weights ?? {};
  const matrices = Object.values(layer).filter(({ shape }) => shape.length === 2);
  const perToken = total(matrices.map(flopOf));
  const { query, key, value } = layer;
  const seenByOthers = total([query!, key!, value!].map(flopOf));
  const reads = total(packed.map((batch) => new Set(batch.targets.map(({ row }) => row)).size));
  const attentionWidth = layer["query"]?.shape[0] ?? 0;
  const lengths = prompts.map(packedLength);
  const targets = prompts.flatMap(({ continuations }) => continuations).reduce((sum, { length }) => sum + length, 0);
  const batchTokens = packed.map(({ sequences, length }) => sequences * length);
  const tokens = total(lengths);
  const sparedFlop = (perToken - seenByOthers) * (tokens - reads);
  return {
    tokens,
    prompts,
    packed,
    sparedFlop,
    computedTokens: totalTokens(packed, computedTokens),
    places: total(batchTokens),
    flop:
      layersOf(model) * (perToken * tokens + 4 * attentionWidth * total(lengths.map((length) => length ** 2))) -
      sparedFlop +
      2 * model.vocabularySize * model.hiddenSize * targets,
    products: matrices.map(({ shape }) => ({ rows: Math.max(...batchTokens), out: shape[0]!, in: shape[1]! })),
  };
}

/** Of the product of one token with a matrix. */
function flopOf({ shape }: Weight): number {
  return 2 * shape[0]! * shape[1]!;
}

/** Computes every merged weight of every candidate, and drops it. */
export async function mergeAll(
  { device, model, weights, experts }: Pick<Workspace, "device" | "model" | "weights" | "experts">,
  recipes: readonly Recipe[],
): Promise<void> {
  const limit = pLimit(device.concurrency);
  const merging = { device, model, parents: weights, base: BASE, experts };
  const paths = stagePathsOf(merging, recipes, [...recipes.keys()]);
  const route = routeAlong(paths);
  for (const index of route.stages.keys()) {
    const tensors = await weights.load(route, index);
    const stages = Array.from(paths.values(), (path) => path[index]!);
    await withMerges({ merging, tensors }, stages, async (merges) => {
      const merge = async (at: readonly PathStage[]): Promise<void> => {
        const others = at.flatMap((place) =>
          Object.entries(mergeStage({ merging, tensors }, place))
            .filter(([role]) => !merges.get(place)?.[role])
            .map(([, merged]) => merged),
        );
        device.free(...(await device.run(others)));
      };
      const runs = device.mergesAtOnce ? [stages] : stages.map((at) => [at]);
      await Promise.all(runs.map((at) => limit(() => merge(at))));
    });
    weights.release(route, index);
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function layersOf({ groups }: Pick<Model, "groups">): number {
  return groups[0]?.layers ?? 0;
}
