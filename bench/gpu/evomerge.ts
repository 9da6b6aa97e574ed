/** What evomerge makes of a device, part by part, for bench/gpu.ts. */
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { packPrompts, type Prompt } from "../../src/evaluate/pack.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { BASE } from "../../src/experiment/the-base.ts";
import { batchTokensFor } from "../../src/experiment/workspace.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import { openModel } from "../../src/model/open-model.ts";
import { eightBillionIn, mergeOfLayers } from "../eight-billion.ts";
import { type Work, workOf } from "../generation.ts";
import { copy, products, upload } from "./device.ts";
import { firstReading, merge, mergedBytes, warmUp } from "./parents.ts";
import { differentiate, score } from "./scoring.ts";
import type { GpuBench, GpuOptions, GpuTask } from "./task.ts";
import type { Compared } from "./torch.ts";
import type { Told } from "../told.ts";

/** What others are held against. */
type Measured = Pick<Compared, "work" | "mergedBytes" | "rowsScale">;

const alone: Recipe = { method: "passthrough", model: BASE };

/** Tells of all parts; the work of a candidate, unless nothing could be opened. */
export async function measureEvomerge(told: Told, task: GpuTask, options: GpuOptions): Promise<Measured | undefined> {
  let found: Measured | undefined;
  await told.part("evomerge", async () => {
    await using device = await openGgml({ backend: options.backend });
    const checkpoints = new Map<string, Checkpoint>();
    for (const [name, own] of eightBillionIn(task.folder, task.experts))
      checkpoints.set(name, await Checkpoint.open(own));
    const base = checkpoints.get(BASE)!;
    const model = openModel(base, "bf16");
    await using parents = new ParentWeights(device, checkpoints);
    const batchTokens = options.batchTokens ?? batchTokensFor(device, model);
    const scorer = new GenerationScorer({ device, model, parents, base: BASE, experts: task.experts, batchTokens });
    const workFor = (prompts: readonly Prompt[]): Work =>
      workOf(model, prompts, packPrompts(prompts, { batchTokens, ...model }));
    const recipes = Array.from({ length: task.candidates }, (_, i) =>
      mergeOfLayers(task.shape.num_hidden_layers!, task.experts, i / 100),
    );
    const [work, whole] = [workFor(task.rows), workFor(task.whole)];
    found = { work, mergedBytes: mergedBytes(model, task), rowsScale: whole.tokens / work.tokens };
    const { capacityBytes = NaN } = device.memory;
    await told.tell({ name: device.name, value: capacityBytes / 1e9, unit: "GB free" });
    const bench = { ...options, told, task, device, model, parents, scorer, recipes, work, whole };
    const isChosen = Object.keys(parts).some((name) => options.only.test(name));
    for (const [name, part] of Object.entries(parts))
      if (options.only.test(name) || (isChosen && ahead.has(part))) await told.part(name, () => part(bench));
    for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  });
  return found;
}

const parts: Readonly<Record<string, (bench: GpuBench) => Promise<void>>> = {
  "parents, for the first time": firstReading,
  "what is compiled": warmUp,
  "copying on the device": copy,
  uploads: upload,
  "own products": products,
  merging: merge,
  "scoring alone": async (bench) => score(bench, "the base scored alone", [alone], bench.task.rows, bench.work),
  "merging and scoring": async (bench) => {
    const { recipes, task, work, whole } = bench;
    await score(bench, `${recipes.length} merged and scored`, recipes, task.rows, work);
    await score(bench, "one merged and scored, all rows", recipes.slice(0, 1), task.whole, whole);
  },
  "merging, scoring and differentiating": async (bench) => {
    const { recipes } = bench;
    await differentiate(bench, recipes.slice(0, 1));
    if (recipes.length >= 8) await differentiate(bench, recipes.slice(0, recipes.length / 4));
  },
};

/** What others would be blamed for. */
const ahead: ReadonlySet<(bench: GpuBench) => Promise<void>> = new Set([firstReading, warmUp]);
