/**
 * How near this machine's limit evomerge works, and how many candidates an hour it scores beside the way of mergekit-evolve, which
 * merges each to disk, loads it in transformers and scores it by lm_eval in batches:
 *
 *     npx tsx bench/this-machine.ts [--python <with torch, transformers, lm_eval> [--mergekit <python with mergekit>]]
 *         [--layers 12] [--candidates 8] [--fraction 0.1] [--repetitions 3] [--precisions f32,bf16]
 *
 * For a Llama of random weights (88 million, 6.3 of them in each layer) with three experts, and rows as long as
 * CosmosQA's and XSum's. EVOMERGE_PRODUCTS names a library for its products. Of each peer as many work at the same time as evomerge has
 * lanes, on one thread each; all is told by the second of one core, on a GPU by the clock on the wall, beside peers that stay on the CPU
 * (bench/gpu.ts has them on the card).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Device } from "../src/device/device.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { productDtypes } from "../src/experiment/precision.ts";
import { allWeights } from "../src/model/architecture.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { loadSpace } from "../src/space/spaces.ts";
import { bytesPerElement, elementCount } from "../src/tensor/dtype.ts";
import { busyLanes } from "./busy-lanes.ts";
import { type DeviceCopy, deviceCopy } from "./device-copy.ts";
import { demoRows, longRows } from "./demo-rows.ts";
import { type Generation, openGeneration } from "./generation.ts";
import { interleave, timed, type Timing } from "./interleave.ts";
import { writeLargeModel } from "./large-model.ts";
import { machine } from "./machine.ts";
import { startMergekitWay, startScorers } from "./mergekit-way.ts";
import type { Peer } from "./peers.ts";
import { uploadProducts } from "./products.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    mergekit: { type: "string" },
    layers: { type: "string", default: "12" },
    candidates: { type: "string", default: "8" },
    fraction: { type: "string", default: "0.1" },
    repetitions: { type: "string", default: "3" },
    precisions: { type: "string", default: "f32,bf16" },
  },
});
const [candidates, layers] = [Number(values.candidates), Number(values.layers)];
const COPIED_BYTES = 2 ** 28;

const demo = await loadExperiment("experiments/demo.yaml");
const folder = await mkdtemp(join(tmpdir(), "this-machine-"));
const base = join(folder, "base");
const experts = demo.experts.map(({ name }) => ({ name, path: join(folder, name) }));
try {
  for (const [seed, path] of [base, ...experts.map((expert) => expert.path)].entries()) {
    await writeLargeModel(path, demo.base, seed, layers);
  }
  console.log(machine());
  for (const precision of values.precisions.split(",") as ("f32" | "bf16")[]) console.log(await compare(precision));
} finally {
  await rm(folder, { recursive: true });
}

async function compare(precision: "f32" | "bf16"): Promise<string> {
  const space = await loadSpace("search-spaces/depth-curves.yaml");
  const rows = longRows(await demoRows(demo, Number(values.fraction)), 6);
  await using generation = await openGeneration({ base, experts, space, engine: "auto", precision }, rows, candidates);
  const { workspace, work, merge, score, scoreAlone, differentiate } = generation;
  const { device } = workspace;
  const peers = await startPeers(generation, precision);
  const dtype = productDtypes(workspace.precision).signal;
  const products = await uploadProducts(device, work.products, { dtype, flop: device.kind === "gpu" ? 2e13 : 4e10 });
  const copies = device.kind === "gpu" ? await deviceCopy(device) : hostCopy();
  const lanes = busyLanes(device);
  const own = {
    copy: () => timed(copies.once),
    products: () => timed(products.multiply),
    merge: () => timed(merge),
    score: () => timed(() => lanes.during(score)),
    scoreAlone: () => timed(scoreAlone),
    differentiate: () => timed(differentiate),
  };
  const others = Object.fromEntries(peers.map(({ name, work: once }): [string, () => Promise<Timing>] => [name, once]));
  const took: Readonly<Record<string, Timing>> & Record<keyof typeof own, Timing> = await interleave(
    { ...others, ...own },
    Number(values.repetitions),
  );
  products.free();
  copies.free();
  for (const { stop } of peers) stop();

  const perSecond = (amount: number, name: string): number => amount / secondsOf(device, took[name]!);
  const copied = perSecond(copies.bytes / 1e9, "copy");
  const merged = perSecond(candidates * mergedGigabytes(generation), "merge");
  const multiplied = perSecond(products.flop / 1e9, "products");
  const scored = perSecond(candidates * work.tokens, "score");
  const scoredAlone = perSecond(work.tokens, "scoreAlone");
  const differentiated = perSecond(candidates * work.tokens, "differentiate");
  const ofProducts = (tokens: number): number => (tokens * work.flop) / work.tokens / 1e9 / multiplied;
  const lines = [
    ["copying memory, read and written", figure(copied), "GB", ""],
    ["merging, read and written", figure(merged), "GB", `${percent(merged / copied)} of copying`],
    ["the engine's own products, of a layer", figure(multiplied), "GFLOP", ""],
    ["merging and scoring", figure(scored), "tokens", `${percent(ofProducts(scored))} of the products`],
    [
      "scoring alone, nothing merged",
      figure(scoredAlone),
      "tokens",
      `${percent(ofProducts(scoredAlone))} of the products`,
    ],
    [
      "merging, scoring and differentiating",
      figure(differentiated),
      "tokens",
      `${figure(scored / differentiated)} times as long`,
    ],
    ...peers.map(({ name, merges }) => {
      const theirs = perSecond(work.tokens, name);
      const ours = merges ? scored : scoredAlone;
      const where = device.kind === "gpu" ? `${name}, on a thread of the CPU` : name;
      return [where, figure(theirs), "tokens", `evomerge is ${(ours / theirs).toFixed(2)} times as fast`];
    }),
    ...["score", ...peers.filter(({ merges }) => merges).map(({ name }) => name)].map((name) => [
      `candidates an hour, ${name === "score" ? "evomerge" : name}`,
      figure(3600 * perSecond(name === "score" ? candidates : 1, name)),
      "",
      "",
    ]),
  ];
  const cores = took.score.cpu / took.score.wall;
  return `
${device.name}, ${precision}: ${candidates} candidates of ${work.tokens} tokens, ${rows.length} rows
${alignedText({ header: ["", "a second", "of", ""], rows: lines })}
while a generation is scored its ${device.concurrency} lanes have work ${percent(lanes.share())} of the time; it had ${cores.toFixed(2)} cores`;
}

/** PyTorch on the same batches, lm_eval's scoring alone, and the whole way of mergekit-evolve, as far as there are Pythons for them. */
async function startPeers(
  { work, workspace: { device } }: Generation,
  precision: "f32" | "bf16",
): Promise<readonly Peer[]> {
  const { python, mergekit } = values;
  if (!python) return [];
  const paths = experts.map(({ path }) => path);
  const task = { python, precision, base, experts: paths, layers, work, folder, atOnce: device.concurrency };
  const scorers = await startScorers(task);
  return mergekit ? [...scorers, await startMergekitWay(task, mergekit, scorers.at(-1)!)] : scorers;
}

function hostCopy(): DeviceCopy {
  const [from, to] = [new Uint8Array(COPIED_BYTES).fill(1), new Uint8Array(COPIED_BYTES).fill(2)];
  return { bytes: 2 * COPIED_BYTES, once: async () => to.set(from), free: () => {} };
}

/** Of all parents, which a merge reads, and of the merge. */
function mergedGigabytes({ workspace: { model } }: Generation): number {
  const elements = allWeights(model).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return (elements * bytesPerElement.bf16 * (experts.length + 2)) / 1e9;
}

/** A machine shared with other work repeats CPU time; a GPU's time is known from the clock on the wall only. */
function secondsOf({ kind }: Device, { wall, cpu }: Timing): number {
  return kind === "cpu" ? cpu : wall;
}

function figure(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
