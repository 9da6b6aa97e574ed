/**
 * Models of the shapes of Llama 3 8B, base and two experts, scored and differentiated on a few rows while they are read:
 *
 *     npx tsx bench/streaming.ts [--precision bf16] [--layers 32] [--rows 4] [--tokens 64] [--models <folder>]
 *
 * Takes 17 GB of the disk, in the folder for temporary files, or in one that keeps them for another time. Memory is the most that the process had beside pages of files. Reading alone is the same
 * pass with nothing computed; computing alone is the same pass with one layer of the parents on the device in the place of all. What a pass
 * waited for parents, while it had nothing to compute, tells what reading cost it where other work on the machine spoils a comparison.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { openGgml } from "../src/device/ggml/engine.ts";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import type { Prompt } from "../src/evaluate/pack.ts";
import { ParentWeights } from "../src/evaluate/parent-weights.ts";
import { routeAlong, stagePathOf } from "../src/evaluate/path.ts";
import type { Route } from "../src/evaluate/route.ts";
import type { Merging } from "../src/evaluate/stage-run.ts";
import type { MergeRecipe } from "../src/merge/recipe.ts";
import { openModel } from "../src/model/open-model.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import type { Dtype } from "../src/tensor/dtype.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { eightBillionIn, writeEightBillion } from "./eight-billion.ts";
import { timed, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";
import { RepeatedLayer } from "./repeated-layer.ts";

const { values } = parseArgs({
  options: {
    precision: { type: "string", default: "bf16" },
    layers: { type: "string", default: "32" },
    rows: { type: "string", default: "4" },
    tokens: { type: "string", default: "64" },
    models: { type: "string" },
  },
});
const experts = ["a", "b"];
const layers = Number(values.layers);
const prompts = randomPrompts(Number(values.rows), Number(values.tokens));
const recipe = mergeOf(layers);

/** Seconds of a piece of work, and the most memory that the process had meanwhile. */
interface Streamed extends Timing {
  readonly bytes: number;
  /** Of the seconds, those without parents to compute with. */
  readonly waited?: number;
}

/** Sums up how long a pass waits for its parents. */
class WaitedFor extends ParentWeights {
  seconds = 0;

  override async load(...asked: Parameters<ParentWeights["load"]>): ReturnType<ParentWeights["load"]> {
    const began = performance.now();
    const tensors = await super.load(...asked);
    this.seconds += (performance.now() - began) / 1e3;
    return tensors;
  }
}

console.log(machine());
if (values.models === undefined) {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    await measure(await written(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
} else {
  await measure(existsSync(values.models) ? eightBillionIn(values.models) : await written(values.models));
}

async function written(folder: string): Promise<ReadonlyMap<string, string>> {
  console.log("writing");
  return writeEightBillion(folder, layers);
}

async function measure(folders: ReadonlyMap<string, string>): Promise<void> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const [name, own] of folders) checkpoints.set(name, await Checkpoint.open(own));
  await using device = await openGgml({ backend: "cpu" });
  const model = openModel(checkpoints.get("base")!, values.precision as Dtype);
  const merging = (parents: Merging["parents"]): Merging => ({ device, model, parents, base: "base", experts });
  const works = async (parents: Merging["parents"]): Promise<Record<"score" | "differentiate", Streamed>> => {
    const scorer = new GenerationScorer({ ...merging(parents), batchTokens: 1024 });
    const rows = prompts.map((prompt) => ({ prompts: [prompt], derivative: (own: readonly Float64Array[]) => own }));
    return {
      score: await observed(async () => void (await scorer.score([recipe], prompts)), parents),
      differentiate: await observed(async () => void (await scorer.gradient([recipe], rows)), parents),
    };
  };
  const rows: string[][] = [];
  const tell = (name: string, { wall, cpu, bytes, waited }: Streamed): void => {
    rows.push([name, wall.toFixed(1), cpu.toFixed(1), (bytes / 1e9).toFixed(2), waited?.toFixed(1) ?? ""]);
    console.log(rows.at(-1)!.join("  "));
  };
  {
    await using parents = new WaitedFor(device, checkpoints);
    const route = routeAlong(new Map([[0, stagePathOf(merging(parents), recipe)]]));
    tell("reading alone, hashed", await observed(() => readAll(parents, route)));
    tell("reading alone, again", await observed(() => readAll(parents, route)));
    tell("reading alone, there and back", await observed(() => readAll(parents, route, true)));
    const streamed = await works(parents);
    tell("scoring", streamed.score);
    tell("differentiating", streamed.differentiate);
  }
  await using repeated = await RepeatedLayer.load(device, checkpoints, model);
  const alone = await works(repeated.parents);
  tell("computing alone: scoring", alone.score);
  tell("computing alone: differentiating", alone.differentiate);
  const header = ["", "wall s", "CPU s", "GB at most", "waited s"];
  console.log(`
${device.name}, ${values.precision}: ${layers} layers of Llama 3 8B, base and two experts, ${prompts.length} rows of ${values.tokens} tokens
${alignedText({ header, rows })}`);
  for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
}

/** Loads and releases every stage, and back again where that is asked for. */
async function readAll(parents: ParentWeights, route: Route, isBackToo = false): Promise<void> {
  const stages = [...route.stages.keys()];
  for (const index of stages) {
    await parents.load(route, index, "forward", isBackToo);
    if (!isBackToo || index < stages.length - 1) parents.release(route, index);
  }
  for (const index of isBackToo ? stages.toReversed() : []) {
    await parents.load(route, index, "backward");
    parents.release(route, index, "backward");
  }
  await parents.releaseAll();
}

/** Looks at the process's own memory while it works: what is in no file. */
async function observed(work: () => Promise<void>, parents?: Merging["parents"]): Promise<Streamed> {
  const waiting = parents instanceof WaitedFor ? parents : undefined;
  const before = waiting?.seconds ?? 0;
  let bytes = 0;
  const look = (): void => {
    const [, kilobytes = "0"] = /^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    bytes = Math.max(bytes, 1024 * Number(kilobytes));
  };
  const looking = setInterval(look, 20);
  const timing = await timed(work);
  clearInterval(looking);
  return { ...timing, bytes, ...(waiting && { waited: waiting.seconds - before }) };
}

function randomPrompts(count: number, tokens: number): Prompt[] {
  const stream = RandomStream.of(1, "prompts");
  const ids = (length: number): Int32Array => Int32Array.from({ length }, () => stream.integer(128_000));
  return Array.from({ length: count }, () => ({ context: ids(tokens - 4), continuations: [ids(4)] }));
}

function mergeOf(count: number): MergeRecipe {
  const curve = { layers: Array.from({ length: count }, (_, i) => 0.3 + i / (3 * count)), rest: 0.4 };
  const groups = ["attention", "mlp", "norm", "embedding"].map((group) => [group, { a: curve, b: curve }]);
  return { method: "task_arithmetic", parameters: { weight: Object.fromEntries(groups) } };
}
