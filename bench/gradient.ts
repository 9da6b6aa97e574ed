/**
 * What derivatives by the coefficients cost, against scoring the same candidates on the same rows:
 *
 *     npx tsx bench/gradient.ts [--engine ggml|tfjs|tfjs-node] [--precision f32|bf16] [--candidates 1] [--repetitions 5]
 *
 * For the shipped demo and for a model of random weights, as bench/scoring.ts. Memory is the most that the device held in tensors
 * and work space, each on a device of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import type { TaskRow } from "../src/tasks/rows.ts";
import { demoRows, longRows } from "./demo-rows.ts";
import { openGeneration, type Generation, type Setting } from "./generation.ts";
import { interleave, timed } from "./interleave.ts";
import { writeLargeModel } from "./large-model.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "ggml" },
    precision: { type: "string", default: "f32" },
    candidates: { type: "string", default: "1" },
    repetitions: { type: "string", default: "5" },
  },
});
const candidates = Number(values.candidates);
const demo = await loadExperiment("experiments/demo.yaml");
const setting = { ...demo, engine: values.engine, precision: values.precision } as Setting;

console.log(machine());
console.log(await measure("the demo, hidden size 128", setting, await demoRows(demo, 0.125)));
const folder = await mkdtemp(join(tmpdir(), "bench-"));
try {
  const names = ["base", ...demo.experts.map(({ name }) => name)];
  for (const [seed, name] of names.entries()) await writeLargeModel(join(folder, name), demo.base, seed);
  const experts = demo.experts.map(({ name }) => ({ name, path: join(folder, name) }));
  const rows = longRows(await demoRows(demo, 0.1), 6);
  const large = { ...setting, base: join(folder, "base"), experts };
  console.log(await measure("random weights, hidden size 768", large, rows));
} finally {
  await rm(folder, { recursive: true });
}

async function measure(title: string, own: Setting, rows: readonly TaskRow[]): Promise<string> {
  const peakOf = async (work: (generation: Generation) => Promise<void>): Promise<number> => {
    await using generation = await openGeneration(own, rows, candidates);
    await work(generation);
    return generation.workspace.device.memory.peakBytes;
  };
  const peaks = {
    score: await peakOf(({ score }) => score()),
    differentiate: await peakOf(({ differentiate }) => differentiate()),
  };
  await using generation = await openGeneration(own, rows, candidates);
  const timings = await interleave(
    { score: () => timed(generation.score), differentiate: () => timed(generation.differentiate) },
    Number(values.repetitions),
  );
  const line = (name: string, which: keyof typeof peaks): string[] => [
    name,
    timings[which].wall.toFixed(2),
    timings[which].cpu.toFixed(2),
    (timings[which].cpu / timings.score.cpu).toFixed(2),
    (peaks[which] / 1e6).toFixed(0),
  ];
  const { device, precision } = generation.workspace;
  const header = ["", "wall s", "CPU s", "scoring = 1", "MB at most"];
  return `
${title}: ${device.name}, ${precision}; ${candidates} candidates of ${generation.work.tokens} tokens
${alignedText({ header, rows: [line("scoring", "score"), line("with derivatives", "differentiate")] })}`;
}
