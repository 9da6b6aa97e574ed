/** What evomerge makes of a device, part by part, for bench/gpu.ts. */
import { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import type { Device, DeviceTensor } from "../src/device/device.ts";
import { scale, input } from "../src/device/expression.ts";
import { openGgml } from "../src/device/ggml/engine.ts";
import type { LossRow } from "../src/evaluate/differentiate.ts";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import { packPrompts, type Prompt } from "../src/evaluate/pack.ts";
import { ParentWeights } from "../src/evaluate/parent-weights.ts";
import { routeAlong, stagePathsOf } from "../src/evaluate/path.ts";
import { batchTokensFor } from "../src/experiment/workspace.ts";
import { BASE } from "../src/experiment/the-base.ts";
import type { Recipe } from "../src/merge/recipe.ts";
import { allWeights, type Model } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { bytesPerElement, elementCount } from "../src/tensor/dtype.ts";
import { busyLanes } from "./busy-lanes.ts";
import { eightBillionIn, llama8B, mergeOfLayers } from "./eight-billion.ts";
import { mergeAll, type Work, workOf } from "./generation.ts";
import { type Ceilings, type GpuTask, LAYERS, ofPeak } from "./gpu-task.ts";
import type { Compared } from "./gpu-torch.ts";
import { timed, type Timing } from "./interleave.ts";
import { uploadProducts } from "./products.ts";
import { figure, percent, type Told } from "./told.ts";

interface Options {
  readonly backend: "gpu" | "cpu";
  /** Those that a run would take unless given. */
  readonly batchTokens: number | undefined;
  readonly ceilings: Ceilings;
  /** Names of the parts that are measured. */
  readonly only: RegExp;
}

/** Everything is open. */
interface Bench extends Options {
  readonly told: Told;
  readonly task: GpuTask;
  readonly device: Device;
  readonly model: Model;
  readonly parents: ParentWeights;
  readonly scorer: GenerationScorer;
  readonly recipes: readonly Recipe[];
  /** Of one candidate on the rows that rates are taken on, and on all. */
  readonly work: Work;
  readonly whole: Work;
}

/** What others are held against. */
type Measured = Pick<Compared, "work" | "mergedBytes" | "rowsScale">;

const alone: Recipe = { method: "passthrough", model: BASE };

/** A part whose first run took longer than half of that is not repeated. */
const LONG_SECONDS = 10;

/** Tells of all parts; the work of a candidate, unless nothing could be opened. */
export async function measureEvomerge(told: Told, task: GpuTask, options: Options): Promise<Measured | undefined> {
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
    for (const [name, part] of Object.entries(parts))
      if (options.only.test(name) || ahead.has(part)) await told.part(name, () => part(bench));
    for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  });
  return found;
}

const parts: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "copying on the device": copy,
  uploads: upload,
  "own products": products,
  "parents, for the first time": firstReading,
  "what is compiled": warmUp,
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
const ahead: ReadonlySet<(bench: Bench) => Promise<void>> = new Set([firstReading, warmUp]);

/** Of f32: a run reads some tensors and writes as many. */
async function copy({ device, told, ceilings }: Bench): Promise<void> {
  const [height, count] = device.kind === "gpu" ? [2 ** 16, 8] : [2 ** 10, 4];
  const bytes = height * 2 ** 14;
  const first = await device.upload(new Uint8Array(bytes), "f32", [height, 2 ** 12]);
  let tensors: DeviceTensor[] = [first];
  const round = async (from: readonly DeviceTensor[]): Promise<void> => {
    const made = await device.run(Array.from({ length: count }, (_, i) => scale(input(from[i % from.length]!), 0.5)));
    device.free(...tensors);
    tensors = made;
  };
  await round(tensors);
  const took = await repeated(() => round(tensors), 5);
  device.free(...tensors);
  const rate = (2 * count * bytes) / took.wall;
  const notes = shareOf(rate, ceilings.copy, "PyTorch's copy");
  await told.tell({ name: "copying on the device, read and written", value: rate / 1e9, unit: "GB/s", took, notes });
}

async function upload({ device, told, ceilings }: Bench): Promise<void> {
  const bytes = new Uint8Array(2 ** 28).fill(1);
  const took = await repeated(async () => device.free(await device.upload(bytes, "bf16", [2 ** 15, 2 ** 12])), 3);
  const rate = bytes.length / took.wall;
  const notes = shareOf(rate, ceilings.upload, "PyTorch's");
  await told.tell({ name: "upload, one tensor after the other", value: rate / 1e9, unit: "GB/s", took, notes });
}

async function products({ device, told, work, ceilings }: Bench): Promise<void> {
  const [flop, side] = device.kind === "gpu" ? [5e13, 8192] : [1e9, 512];
  const square = { rows: side, in: side, out: side };
  for (const [name, own] of [
    ["own products of a layer", work.products],
    [`own products of ${side}`, [square]],
  ] as const) {
    const uploaded = await uploadProducts(device, own, { dtype: "bf16", flop });
    const took = await repeated(uploaded.multiply, 3);
    uploaded.free();
    const rate = uploaded.flop / took.wall;
    await told.tell({ name, value: rate / 1e12, unit: "TFLOP/s", took, notes: ofPeak(rate, ceilings) });
  }
}

/** Read, hashed, looked at and brought to the device: where they stay, this is done once in a run. */
async function firstReading({ parents, model, device, task, recipes, told }: Bench): Promise<void> {
  const merging = { device, model, parents, base: BASE, experts: task.experts };
  const route = routeAlong(stagePathsOf(merging, recipes, [0]));
  const took = await timed(async () => {
    for (const index of route.stages.keys()) {
      await parents.load(route, index);
      parents.release(route, index);
    }
    await parents.releaseAll();
  });
  const name = `parents read, hashed and uploaded, ${figure(parents.bytesRead / 1e9)} GB`;
  const notes = [`${figure(device.memory.bytes / 1e9)} GB stay`];
  await told.tell({ name, value: parents.bytesRead / 1e9 / took.wall, unit: "GB/s", took, notes });
}

/** A driver compiles kernels when they are first launched, for which no part is to be blamed. */
async function warmUp({ scorer, recipes, task, told }: Bench): Promise<void> {
  const few = task.rows.filter((_, i) => i % Math.ceil(task.rows.length / 4) === 0);
  const took = await timed(async () => void (await scorer.gradient(recipes.slice(0, 1), few.map(lossRow))));
  await told.tell({ name: "first derivatives, of a few rows", took, notes: ["with what the driver compiles"] });
}

async function merge({ device, model, parents, task, recipes, told, ceilings }: Bench): Promise<void> {
  const bytes = mergedBytes(model, task);
  for (const count of new Set([1, recipes.length])) {
    const own = recipes.slice(0, count);
    const took = await repeated(() => mergeAll({ device, model, weights: parents, experts: task.experts }, own), 3);
    const rate = (count * bytes) / took.wall;
    const notes = [
      ...shareOf(rate, ceilings.copy, "PyTorch's copy"),
      "each reads base and experts, and writes the merge",
    ];
    await told.tell({ name: `merging, ${count} at once`, value: rate / 1e9, unit: "GB/s", took, notes });
  }
}

async function score(
  bench: Bench,
  name: string,
  recipes: readonly Recipe[],
  prompts: readonly Prompt[],
  work: Work,
): Promise<void> {
  const { device, scorer, told, ceilings } = bench;
  const lanes = busyLanes(device);
  let mean = NaN;
  const took = await repeated(async () => {
    await lanes.during(async () => {
      const { logLikelihoods } = await scorer.score(recipes, prompts);
      const targets = prompts
        .flatMap(({ continuations }) => continuations)
        .reduce((sum, { length }) => sum + length, 0);
      mean = logLikelihoods[0]!.reduce((sum, own) => sum + own.reduce((a, b) => a + b, 0), 0) / targets;
    });
  }, 3);
  const tokens = (recipes.length * work.tokens) / took.wall;
  const notes = [
    ...ofPeak((recipes.length * work.flop) / took.wall, ceilings),
    `mean log-probability ${mean.toFixed(4)}`,
    `the device had work ${percent(lanes.share())} of the time`,
    `${figure(device.memory.peakBytes / 1e9)} GB at most`,
  ];
  await told.tell({ name, value: tokens, unit: "tokens/s", took, notes });
  const a8B = (took.wall / recipes.length) * scaleOf(bench, prompts, work);
  const rows = prompts.length;
  const unit = `s, ${rows} rows`;
  await told.tell({
    name: `${name}: a candidate of ${LAYERS} layers`,
    value: a8B,
    unit,
    notes: [`${figure(3600 / a8B)} an hour`],
  });
}

async function differentiate(bench: Bench, recipes: readonly Recipe[]): Promise<void> {
  const { device, scorer, told, ceilings, work, task } = bench;
  const rows = task.rows.map(lossRow);
  const took = await repeated(async () => void (await scorer.gradient(recipes, rows)), 2);
  const tokens = (recipes.length * work.tokens) / took.wall;
  const notes = [
    ...ofPeak((3 * recipes.length * work.flop) / took.wall, ceilings),
    "three times the operations of scoring",
    `${figure(device.memory.peakBytes / 1e9)} GB at most`,
  ];
  await told.tell({
    name: `${recipes.length} merged and differentiated`,
    value: tokens,
    unit: "tokens/s",
    took,
    notes,
  });
  const a8B = (took.wall / recipes.length) * scaleOf(bench, task.rows, work);
  const name = `derivatives: a candidate of ${LAYERS} layers`;
  await told.tell({ name, value: a8B, unit: `s, ${rows.length} rows` });
}

/** Of base and experts, which a merge reads, and of the merge. */
function mergedBytes(model: Model, { experts }: GpuTask): number {
  const elements = allWeights(model).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return elements * bytesPerElement.bf16 * (experts.length + 2);
}

/** Operations of a model of all layers by those of this one. */
function scaleOf({ task: { folder, shape } }: Bench, prompts: readonly Prompt[], { packed, flop }: Work): number {
  const config = { ...llama8B, ...shape, num_hidden_layers: LAYERS };
  return workOf(openModel({ folder, config }, "bf16"), prompts, packed).flop / flop;
}

/** Its loss is the sum of what its continuations lack. */
function lossRow(prompt: Prompt): LossRow {
  return { prompts: [prompt], derivative: (values) => values.map((own) => own.map(() => -1)) };
}

/** The median of several runs behind one to warm up, or the first where that takes long. */
async function repeated(work: () => Promise<void>, times: number): Promise<Timing> {
  const first = await timed(work);
  if (first.wall > LONG_SECONDS / 2) return first;
  const all: Timing[] = [];
  while (all.length < times) all.push(await timed(work));
  return all.toSorted((a, b) => a.wall - b.wall)[Math.floor(all.length / 2)]!;
}

function shareOf(rate: number, of: number | undefined, what: string): string[] {
  return of === undefined ? [] : [`${percent(rate / of)} of ${what}`];
}
