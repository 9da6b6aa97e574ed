/**
 * What searches on different losses of choices find, all else being equal, judged by accuracy on the guard rows:
 *
 *     npx tsx bench/loss-searches.ts [experiments/demo.yaml] [--losses softmax,bounded] [--seeds 1,2,3] [--evaluations 200] [--fraction 0.1]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchRun, loadExperiment } from "../src/index.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import type { ChoiceLossName } from "../src/tasks/row-loss.ts";
import { machine } from "./machine.ts";

const { values, positionals } = parseArgs({
  options: {
    losses: { type: "string", default: "softmax,bounded" },
    seeds: { type: "string", default: "1,2,3" },
    evaluations: { type: "string", default: "200" },
    fraction: { type: "string", default: "0.1" },
  },
  allowPositionals: true,
});
const experiment = await loadExperiment(positionals[0] ?? "experiments/demo.yaml");
const budget = { evaluations: Number(values.evaluations) };
const search = { ...experiment.search, rowFraction: Number(values.fraction) };

console.log(machine());
const lines: string[][] = [];
for (const seed of values.seeds.split(",").map(Number)) {
  for (const loss of values.losses.split(",") as ChoiceLossName[]) {
    const folder = await mkdtemp(join(tmpdir(), "loss-searches-"));
    const tasks = experiment.tasks.map((task) => ({ ...task, loss }));
    const { winner, verdict } = await launchRun({ ...experiment, seed, tasks, budget, search }, join(folder, "run"));
    await rm(folder, { recursive: true });
    const { scores = {} } = verdict?.models.find(({ kind }) => kind === "winner") ?? {};
    const cells = Object.values(scores).map((own) =>
      own.accuracy === undefined ? own.loss.toFixed(4) : `${(100 * own.accuracy).toFixed(1)} %`,
    );
    lines.push([String(seed), loss, winner.name, ...cells]);
    console.error(lines.at(-1)!.join("  "));
  }
}
console.log(
  alignedText({ header: ["seed", "loss", "winner", ...experiment.tasks.map(({ name }) => name)], rows: lines }),
);
