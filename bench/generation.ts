/** What the benchmarks measure: a generation of merged candidates, scored on rows or only merged. */
import pLimit from "p-limit";
import { input } from "../src/device/expression.ts";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import { packedLength, packPrompts, type PackedBatch, type Prompt } from "../src/evaluate/pack.ts";
import { promptsOf } from "../src/evaluate/prompt.ts";
import type { Experiment } from "../src/experiment/experiment-file.ts";
import { BASE, batchTokensFor, openWorkspace, type Workspace } from "../src/experiment/workspace.ts";
import { mergeTensor } from "../src/merge/merge-tensor.ts";
import { stepAt, type Recipe } from "../src/merge/recipe.ts";
import type { Model, Weight } from "../src/model/architecture.ts";
import { buildGenome } from "../src/space/genome.ts";
import type { TaskRow } from "../src/tasks/rows.ts";
import { RandomStream } from "../src/tensor/random.ts";
import type { Product } from "./products.ts";

/** Parents, search space, engine and precision. */
export type Setting = Pick<Experiment, "base" | "experts" | "space" | "engine" | "precision">;

/** What scoring one candidate takes. */
export interface Work {
  readonly tokens: number;
  /** Tokens with the padding that makes sequences of a batch equally long. */
  readonly paddedTokens: number;
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
  /** Scores, and differentiates the sum of the rows' losses by every coefficient. */
  readonly differentiate: () => Promise<void>;
  /** Scores with a model that computes the same otherwise. */
  readonly scoreWith: (change: (model: Model) => Model) => () => Promise<void>;
  /** Computes every merged weight of every candidate, and drops it. */
  readonly merge: () => Promise<void>;
}

/** Opens the parents and draws candidates around the start of the search space, no two of them equal. */
export async function openGeneration(
  setting: Setting,
  rows: readonly TaskRow[],
  candidates: number,
): Promise<Generation> {
  const workspace = await openWorkspace(setting);
  const { device, model, tokenizer, signal, experts } = workspace;
  const genome = buildGenome(setting.space, workspace);
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

function workOf(model: Model, prompts: readonly Prompt[], packed: readonly PackedBatch[]): Work {
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
    paddedTokens: total(batchTokens),
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

async function mergeAll({ device, model, weights, experts }: Workspace, recipes: readonly Recipe[]): Promise<void> {
  const limit = pLimit(device.concurrency);
  for (const [index, stage] of model.stages.entries()) {
    const tensors = await weights.load(index);
    const merge = async (recipe: Recipe): Promise<void> => {
      const merged = Object.entries(stage.weights).map(([role, weight]) => {
        const models = Object.fromEntries(
          Object.entries(tensors[role]!).map(([name, tensor]) => [name, input(tensor)]),
        );
        return mergeTensor({ models, base: BASE, experts }, stepAt(recipe, weight, experts));
      });
      device.free(...(await device.run(merged)));
    };
    await Promise.all(recipes.map((recipe) => limit(merge, recipe)));
    weights.release(index);
  }
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function layersOf({ groups }: Pick<Model, "groups">): number {
  return groups[0]?.layers ?? 0;
}
