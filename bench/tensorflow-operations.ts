/**
 * How many operations of TensorFlow a candidate takes, counted at the native binding, and what they cost:
 *
 *     npx tsx bench/tensorflow-operations.ts [--engine tfjs-node|tfjs-node-gpu] [--experiment experiments/demo.yaml]
 *         [--precision f32|bf16] [--fraction 0.02] [--candidates 4] [--repetitions 9]
 *
 * Divided by candidates and layers; embedding and head are counted too. Batches of the rows are in one graph of a layer, so that a
 * small fraction shows what a layer takes, and a large one what its products do. Parents are on the device.
 */
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { countOperations } from "../test/device/counted-operations.ts";
import { demoRows } from "./demo-rows.ts";
import { openGeneration, type Setting } from "./generation.ts";
import { interleave, timed } from "./interleave.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "tfjs-node" },
    experiment: { type: "string", default: "experiments/demo.yaml" },
    precision: { type: "string", default: "f32" },
    fraction: { type: "string", default: "0.02" },
    candidates: { type: "string", default: "4" },
    repetitions: { type: "string", default: "9" },
  },
});
const experiment = await loadExperiment(values.experiment);
const setting = { ...experiment, engine: values.engine, precision: values.precision } as Setting;
const rows = await demoRows(experiment, Number(values.fraction));
await using generation = await openGeneration(setting, rows, Number(values.candidates));
const { candidates, workspace, work, merge, score, differentiate } = generation;
const layers = workspace.model.groups[0]?.layers ?? 1;
const works = { merging: merge, scoring: score, "with derivatives": differentiate };
const names = ["merging", "scoring", "with derivatives"] as const;

const timings = await interleave(
  {
    merging: () => timed(merge),
    scoring: () => timed(score),
    "with derivatives": () => timed(differentiate),
  },
  Number(values.repetitions),
);
const counts: Readonly<Record<string, number>>[] = [];
for (const name of names) counts.push(await countOperations(works[name]));

const each = (count: number): string => (count / candidates / layers).toFixed(1);
const totals = counts.map((own) => Object.values(own).reduce((sum, count) => sum + count, 0));
const byMost = [...new Set(counts.flatMap(Object.keys))].toSorted((a, b) => most(b) - most(a));
const { device, precision } = workspace;
console.log(`${machine()}
${device.name}, ${precision}; ${candidates} candidates of ${work.tokens} tokens in ${work.packed.length} batches, ${layers} layers; ${(device.memory.peakBytes / 1e6).toFixed(1)} MB at most`);
console.log(
  alignedText({
    header: ["", ...names],
    rows: [
      ...byMost.map((op) => [op, ...counts.map((own) => each(own[op] ?? 0))]),
      ["operations for each candidate and layer", ...totals.map(each)],
      ["CPU s", ...names.map((name) => timings[name].cpu.toFixed(3))],
      ["wall s", ...names.map((name) => timings[name].wall.toFixed(3))],
    ],
  }),
);

function most(op: string): number {
  return Math.max(...counts.map((own) => own[op] ?? 0));
}
