/**
 * What scoring a generation costs with each library for products, beside PyTorch on the same batches and lm_eval on the same rows:
 *
 *     npx tsx bench/libraries.ts [experiments/demo.yaml] --libraries ggml,/path/to/libdnnl.so.3 --python /path/to/python
 *         [--fraction 0.125] [--candidates 2] [--repetitions 5] [--precisions f32,bf16]
 *         [--peers torch,torch-merging,torch-without-onednn,lm-eval]
 *
 * Both others, with transformers, run the base as often as there are candidates, on one thread. PyTorch, with the oneDNN that it brings
 * and without, runs the last layer for all tokens, and merges only where that is said; lm_eval runs a row's context again for each choice, and computes logits for all tokens.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { demoRows } from "./demo-rows.ts";
import { openGeneration, type Generation, type Work } from "./generation.ts";
import { interleave, timed, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";
import { type Peer, plainBatch, requestsOf, startPeer } from "./peers.ts";

const { values, positionals } = parseArgs({
  options: {
    libraries: { type: "string", default: "ggml" },
    python: { type: "string" },
    fraction: { type: "string", default: "0.125" },
    candidates: { type: "string", default: "2" },
    repetitions: { type: "string", default: "5" },
    precisions: { type: "string", default: "f32,bf16" },
    peers: { type: "string", default: "torch,torch-merging,torch-without-onednn,lm-eval" },
  },
  allowPositionals: true,
});
const experiment = await loadExperiment(positionals[0] ?? "experiments/demo.yaml");
const rows = await demoRows(experiment, Number(values.fraction));
const candidates = Number(values.candidates);
const folder = await mkdtemp(join(tmpdir(), "libraries-"));

/** Part of what evomerge does, and of nothing that the others do. */
const MERGING = "merging alone";

console.log(machine());
for (const precision of ["f32", "bf16"] as const) {
  if (values.precisions.split(",").includes(precision)) console.log(await compare(precision));
}
await rm(folder, { recursive: true });

async function compare(precision: "f32" | "bf16"): Promise<string> {
  const generations: Generation[] = [];
  for (const file of values.libraries.split(",")) {
    process.env["EVOMERGE_PRODUCTS"] = file;
    generations.push(await openGeneration({ ...experiment, engine: "ggml", precision }, rows, candidates));
  }
  const { tokens } = generations[0]!.work;
  const others = values.python ? await startOthers(values.python, generations[0]!.work, precision) : [];
  const works = [
    ...generations.map(({ workspace, score }) => {
      const name = workspace.device.name.replace(/^(ggml) on [^,]+/, "$1");
      return [name, () => timed(score)] as const;
    }),
    [MERGING, () => timed(generations[0]!.merge)] as const,
    ...others.map((peer) => [peer.name, () => workOften(peer)] as const),
  ];
  const timings = await interleave(Object.fromEntries(works), Number(values.repetitions));
  for (const { stop } of others) stop();
  for (const generation of generations) await generation[Symbol.asyncDispose]();
  const [[first]] = works as [(typeof works)[number]];
  const lines = Object.entries(timings).map(([name, { wall, cpu }]) => [
    name,
    wall.toFixed(2),
    cpu.toFixed(2),
    ...(name === MERGING ? [] : [((candidates * tokens) / cpu).toFixed(0), (timings[first]!.cpu / cpu).toFixed(2)]),
  ]);
  const title = `${experiment.name} in ${precision}: ${candidates} candidates of ${tokens} tokens`;
  return alignedText({ header: [title, "wall s", "CPU s", "tokens/CPU-s", `${first} = 1`], rows: lines });
}

/** PyTorch on the packed batches, and lm_eval on each choice behind its context. */
async function startOthers(python: string, { packed, prompts }: Work, precision: string): Promise<Peer[]> {
  const batches = packed.map(plainBatch);
  const peers: Readonly<Record<string, readonly [script: string, input: unknown, ...options: string[]]>> = {
    torch: ["torch-scoring.py", batches],
    "torch-merging": ["torch-scoring.py", batches, "merging", ...experiment.experts.map(({ path }) => path)],
    "torch-without-onednn": ["torch-scoring.py", batches, "without-onednn"],
    "lm-eval": ["lm-eval-scoring.py", requestsOf(prompts)],
  };
  const started: Peer[] = [];
  for (const [script, input, ...rest] of values.peers.split(",").map((name) => peers[name]!)) {
    const file = join(folder, `${script} ${precision}.json`);
    await writeFile(file, JSON.stringify(input));
    started.push(await startPeer(python, script, [experiment.base, file, precision, ...rest]));
  }
  return started;
}

/** As often as there are candidates. */
async function workOften({ work }: Peer): Promise<Timing> {
  const sum = { wall: 0, cpu: 0 };
  for (let i = 0; i < candidates; i += 1) {
    const { wall, cpu } = await work();
    sum.wall += wall;
    sum.cpu += cpu;
  }
  return sum;
}
