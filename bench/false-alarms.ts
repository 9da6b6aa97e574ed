/**
 * How often a whole run calls its winner different from another model where no merge is better. Says beside it how
 * often single tests at 5 % would have called something.
 *
 *     npx tsx bench/false-alarms.ts [--runs 200] [--kind "not named"]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { judgeModels } from "../src/report/judgement.ts";
import { alignedText } from "../src/report/table.ts";
import { launchRun } from "../src/run/run-experiment.ts";
import { type KindName, kinds, writeLandscape } from "./false-alarms/landscape.ts";

const { values: options } = parseArgs({
  options: { runs: { type: "string", default: "200" }, kind: { type: "string" } },
});
const RUNS = Number(options.runs);

const search = {
  space: { method: "task_arithmetic", groups: "all", depth: "constant" },
  search: { algorithm: "cma-es", population: 6, rowFraction: 0.5 },
  budget: { evaluations: 21 },
};

/** Whether a run's verdict calls anything different, and whether single tests would have. */
async function run(seed: number, kind: KindName): Promise<{ readonly verdict: boolean; readonly singly: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), "false-alarms-"));
  try {
    const experiment = await loadExperiment(await writeLandscape(folder, seed, kind, search));
    const { verdict } = await launchRun(experiment, join(folder, "run"));
    if (!verdict) throw new Error("a run without a verdict");
    const judged = [...judgeModels(verdict.models, 1).values()].flatMap(({ combined, tasks }) => [
      combined,
      ...Object.values(tasks),
    ]);
    return {
      verdict: judged.some(({ judgement }) => judgement !== "neither"),
      singly: judged.some(({ pValue }) => pValue < 0.05),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function share(alarms: number): string {
  return `${alarms} of ${RUNS}, ${((100 * alarms) / RUNS).toFixed(1)} %`;
}

async function measure(kind: KindName): Promise<string[]> {
  const outcomes = [];
  for (let seed = 1; seed <= RUNS; seed++) outcomes.push(await run(seed, kind));
  return [
    kind,
    share(outcomes.filter(({ verdict }) => verdict).length),
    share(outcomes.filter(({ singly }) => singly).length),
  ];
}

const measured = [];
for (const kind of Object.keys(kinds) as KindName[]) {
  if (options.kind === undefined || kind.includes(options.kind)) measured.push(await measure(kind));
}
console.log(
  alignedText({ header: ["", "verdicts that name a difference", "single tests at 5 % would have"], rows: measured }),
);
