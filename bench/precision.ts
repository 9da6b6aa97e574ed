/**
 * What scoring a generation costs in each precision, and what it would cost if the last layer ran for every token:
 *
 *     npx tsx bench/precision.ts [experiments/demo.yaml] [--fraction 0.125] [--candidates 4] [--repetitions 5]
 *
 * Of the experiment's rows it takes a part as a generation would draw it.
 */
import { parseArgs } from "node:util";
import { gatherRows } from "../src/device/expression.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import type { Model, Stage } from "../src/model/architecture.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { demoRows } from "./demo-rows.ts";
import { openGeneration } from "./generation.ts";
import { interleave, timed } from "./interleave.ts";
import { machine } from "./machine.ts";

const { values, positionals } = parseArgs({
  options: {
    fraction: { type: "string", default: "0.125" },
    candidates: { type: "string", default: "4" },
    repetitions: { type: "string", default: "5" },
  },
  allowPositionals: true,
});
const experiment = await loadExperiment(positionals[0] ?? "experiments/demo.yaml");
const rows = await demoRows(experiment, Number(values.fraction));
const candidates = Number(values.candidates);
const setting = { ...experiment, engine: "ggml" } as const;

console.log(machine());
await using f32 = await openGeneration({ ...setting, precision: "f32" }, rows, candidates);
await using bf16 = await openGeneration({ ...setting, precision: "bf16" }, rows, candidates);
const generations = {
  "f32, the last layer for every token": f32.scoreWith(everyToken),
  f32: f32.score,
  "bf16, the last layer for every token": bf16.scoreWith(everyToken),
  bf16: bf16.score,
};
const works = Object.entries(generations).map(([name, score]) => [name, () => timed(score)] as const);
const timings = await interleave(Object.fromEntries(works), Number(values.repetitions));
const { name } = f32.workspace.device;
const { tokens: own, flop, sparedFlop } = f32.work;
const share = ((100 * sparedFlop) / (flop + sparedFlop)).toFixed(1);
console.log(`${experiment.name} on ${name}: ${candidates} candidates of ${own} tokens, ${rows.length} rows`);
console.log(`the last layer leaves out ${share} % of all operations`);
const tokens = candidates * own;
const reference = timings["f32"]!.cpu;
const lines = Object.entries(timings).map(([what, { wall, cpu }]) => [
  what,
  wall.toFixed(2),
  cpu.toFixed(2),
  (tokens / cpu).toFixed(0),
  (reference / cpu).toFixed(2),
]);
console.log(alignedText({ header: ["", "wall s", "CPU s", "tokens/CPU-s", "f32 = 1"], rows: lines }));

/** The same model, with a last layer that does not know which rows are read. */
function everyToken(model: Model): Model {
  const last = layersOf(model) - 1;
  const forward: Stage["forward"] = (weights, state, batch) => {
    const { hidden } = model.stages.find(({ place }) => place.layer === 0)!.forward(weights, state, batch);
    return { hidden: gatherRows(hidden!, batch.reads!.tokens) };
  };
  return {
    ...model,
    stages: model.stages.map((stage) => (stage.place.layer === last ? { ...stage, forward } : stage)),
  };
}

function layersOf({ groups }: Pick<Model, "groups">): number {
  return groups[0]?.layers ?? 0;
}
