/**
 * Models of the shapes of Llama 3 8B, base and two experts, scored and differentiated on a few rows while they are read:
 *
 *     npx tsx bench/streaming.ts [--precision bf16] [--layers 32] [--rows 4] [--tokens 64] [--candidates 1] [--models <folder>]
 *
 * Takes 17 GB of the disk, in the folder for temporary files, or in one that keeps them for another time. Memory is the most that the process had beside pages of files. Reading alone is the same
 * pass, of the same bytes, with nothing computed; computing alone is the same pass with one layer of the parents on the device in the place of all. Graphs are made before either is
 * timed, and what came from the disk is told, since all is meant to be in the cache of files. What a pass waited for parents, while it had nothing to compute, tells what reading cost it where other
 * work on the machine spoils a comparison.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { openGgml } from "../src/device/ggml/engine.ts";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import { rowsReadBy } from "../src/evaluate/gathered-rows.ts";
import { packPrompts, type Prompt } from "../src/evaluate/pack.ts";
import { ParentWeights } from "../src/evaluate/parent-weights.ts";
import { routeAlong, stagePathsOf } from "../src/evaluate/path.ts";
import type { Route } from "../src/evaluate/route.ts";
import type { Merging } from "../src/evaluate/stage-run.ts";
import type { Model } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import type { Dtype } from "../src/tensor/dtype.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { eightBillionIn, mergeOfLayers, writeEightBillion } from "./eight-billion.ts";
import { timed, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";
import { RepeatedLayer } from "./repeated-layer.ts";

const { values } = parseArgs({
  options: {
    precision: { type: "string", default: "bf16" },
    layers: { type: "string", default: "32" },
    rows: { type: "string", default: "4" },
    tokens: { type: "string", default: "64" },
    candidates: { type: "string", default: "1" },
    models: { type: "string" },
  },
});
const experts = ["a", "b"];
const layers = Number(values.layers);
const prompts = randomPrompts(Number(values.rows), Number(values.tokens));
const recipes = Array.from({ length: Number(values.candidates) }, (_, i) => mergeOfLayers(layers, experts, i / 100));

/** Padded tokens of one batch. */
const batchTokens = 1024;

/** Seconds of a piece of work, and the most memory that the process had meanwhile. */
interface Streamed extends Timing {
  readonly bytes: number;
  /** Bytes of parents. */
  readonly read?: number;
  readonly fromDisk: number;
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
  return writeEightBillion(folder, { num_hidden_layers: layers });
}

async function measure(folders: ReadonlyMap<string, string>): Promise<void> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const [name, own] of folders) checkpoints.set(name, await Checkpoint.open(own));
  await using device = await openGgml({ backend: "cpu" });
  const model = openModel(checkpoints.get("base")!, values.precision as Dtype);
  const merging = (parents: Merging["parents"]): Merging => ({ device, model, parents, base: "base", experts });
  const works = async (
    parents: Merging["parents"],
    own: Model = model,
  ): Promise<Record<"score" | "differentiate", Streamed>> => {
    const scorer = new GenerationScorer({ ...merging(parents), model: own, batchTokens });
    const rows = prompts.map((prompt) => ({
      prompts: [prompt],
      derivative: (derivatives: readonly Float64Array[]) => derivatives,
    }));
    return {
      score: await observed(async () => void (await scorer.score(recipes, prompts)), parents),
      differentiate: await observed(async () => void (await scorer.gradient(recipes, rows)), parents),
    };
  };
  const rows: string[][] = [];
  const tell = (name: string, { wall, cpu, read, fromDisk, bytes, waited }: Streamed): number => {
    rows.push([
      name,
      wall.toFixed(1),
      cpu.toFixed(1),
      gigabytes(read),
      gigabytes(fromDisk),
      (bytes / 1e9).toFixed(2),
      waited?.toFixed(1) ?? "",
    ]);
    console.log(rows.at(-1)!.join("  "));
    return wall;
  };
  const ends = { ...model, stages: [...model.stages.slice(0, 2), ...model.stages.slice(-1)] };
  {
    await using repeated = await RepeatedLayer.load(device, checkpoints, model);
    await works(repeated.parents, ends);
  }
  const larger: Record<"score" | "differentiate", number> = { score: 0, differentiate: 0 };
  const streamed = { ...larger };
  {
    await using parents = new WaitedFor(device, checkpoints);
    const whole = routeAlong(stagePathsOf(merging(parents), recipes, [...recipes.keys()]));
    tell("reading alone, hashed", await observed(() => readAll(parents, whole), parents));
    const route = whole.readingRows(
      rowsReadBy(merging(parents), whole, packPrompts(prompts, { batchTokens, ...model })),
    );
    larger.score = tell("reading alone, again", await observed(() => readAll(parents, route), parents));
    larger.differentiate = tell(
      "reading alone, there and back",
      await observed(() => readAll(parents, route, true), parents),
    );
    const both = await works(parents);
    streamed.score = tell("scoring", both.score);
    streamed.differentiate = tell("differentiating", both.differentiate);
  }
  await using repeated = await RepeatedLayer.load(device, checkpoints, model);
  const alone = await works(repeated.parents);
  larger.score = Math.max(larger.score, tell("computing alone: scoring", alone.score));
  larger.differentiate = Math.max(larger.differentiate, tell("computing alone: differentiating", alone.differentiate));
  const header = ["", "wall s", "CPU s", "GB read", "from disk", "GB at most", "waited s"];
  const times = (work: "score" | "differentiate"): string => (streamed[work] / larger[work]).toFixed(2);
  console.log(`
${device.name}, ${values.precision}: ${layers} layers of Llama 3 8B, base and two experts, ${recipes.length === 1 ? "one merge" : `${recipes.length} merges`} on ${prompts.length} rows of ${values.tokens} tokens
${alignedText({ header, rows })}
Scoring takes ${times("score")} times as long as the larger of reading and computing alone, differentiating ${times("differentiate")}.`);
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
  const own = parents instanceof WaitedFor ? parents : undefined;
  const before = { seconds: own?.seconds ?? 0, read: own?.bytesRead ?? 0, disk: bytesFromDisk() };
  let bytes = 0;
  const look = (): void => {
    const [, kilobytes = "0"] = /^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    bytes = Math.max(bytes, 1024 * Number(kilobytes));
  };
  const looking = setInterval(look, 20);
  const timing = await timed(work);
  clearInterval(looking);
  const fromDisk = bytesFromDisk() - before.disk;
  return {
    ...timing,
    bytes,
    fromDisk,
    ...(own && { waited: own.seconds - before.seconds, read: own.bytesRead - before.read }),
  };
}

function gigabytes(count?: number): string {
  return count === undefined ? "" : (count / 1e9).toFixed(1);
}

/** What the process had to be brought, which was not in the cache of files. */
function bytesFromDisk(): number {
  const [, bytes = "0"] = /^read_bytes: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8")) ?? [];
  return Number(bytes);
}

function randomPrompts(count: number, tokens: number): Prompt[] {
  const stream = RandomStream.of(1, "prompts");
  const ids = (length: number): Int32Array => Int32Array.from({ length }, () => stream.integer(128_000));
  return Array.from({ length: count }, () => ({ context: ids(tokens - 4), continuations: [ids(4)] }));
}
