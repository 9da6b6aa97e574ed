/**
 * What `evomerge plan` says of runs, beside what the runs then take:
 *
 *     npx tsx bench/plan.ts [--repetitions 3] [--base <folder> --expert <folder> --expert <folder>]
 *
 * The shipped demo by gradients and by CMA-ES, and a search over the given models on a few of its rows. Plans and runs take
 * turns, each in a process of its own, since the most memory of a process is told once. Times are CPU time of all threads, which
 * a machine that is shared with other work can repeat: lanes that idle do not count, on either side. Medians of all repetitions, their
 * ratio, and between brackets the least and the largest ratio of a plan and the run behind it.
 */
import { fork } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { openEngine } from "../src/experiment/open-engine.ts";
import { readJournal } from "../src/journal/journal.ts";
import { planExperiment } from "../src/plan/plan-experiment.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { launchRun } from "../src/run/launch-run.ts";
import { machine } from "./machine.ts";

/** What a plan says, or a run has taken. */
interface Measured {
  /** CPU seconds of a generation, in a run the median of all. */
  readonly generation: number;
  readonly deviceBytes: number;
  readonly processBytes: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repetitions: { type: "string", default: "3" },
    base: { type: "string" },
    expert: { type: "string", multiple: true, default: [] },
  },
});
const [kind, file] = positionals;
if (kind !== undefined && file !== undefined) process.send?.(await (kind === "plan" ? planned(file) : taken(file)));
else await compareAll();

async function compareAll(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-plan-"));
  try {
    const rows: string[][] = [];
    for (const [name, path] of Object.entries(await writeExperiments(folder))) {
      const [plans, runs]: [Measured[], Measured[]] = [[], []];
      for (let repetition = 0; repetition < Number(values.repetitions); repetition += 1) {
        plans.push(await inProcess("plan", path));
        runs.push(await inProcess("run", path));
      }
      rows.push(rowOf(name, plans, runs));
    }
    console.log(machine());
    console.log(
      alignedText({
        header: ["experiment", ...["CPU-s a generation", "device MB", "process MB"].flatMap(columnsOf)],
        rows,
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function columnsOf(what: string): string[] {
  return [`${what}: plan`, "run", "ratio (of pairs)"];
}

function mega(bytes: number): number {
  return bytes / 1e6;
}

function rowOf(name: string, plans: readonly Measured[], runs: readonly Measured[]): string[] {
  const compared = (of: (measured: Measured) => number, digits: number): string[] => {
    const [plan, run] = [median(plans.map(of)), median(runs.map(of))];
    const ratios = plans.map((own, i) => of(own) / of(runs[i] ?? own));
    const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
    return [plan.toFixed(digits), run.toFixed(digits), `${(plan / run).toFixed(2)} (${range})`];
  };
  return [
    name,
    ...compared(({ generation }) => generation, 2),
    ...compared(({ deviceBytes }) => mega(deviceBytes), 0),
    ...compared(({ processBytes }) => mega(processBytes), 0),
  ];
}

function demo(name: string): string {
  return resolve("experiments/demo", name);
}

function space(name: string): string {
  return resolve("search-spaces", `${name}.yaml`);
}

/** Files of the experiments by their names; rows of the third are the first few of the demo's. */
async function writeExperiments(folder: string): Promise<Record<string, string>> {
  const tasks = {
    cosmosqa: { rows: demo("cosmosqa.search.jsonl"), guard: demo("cosmosqa.guard.jsonl") },
    xsum: { rows: demo("xsum.search.jsonl"), guard: demo("xsum.guard.jsonl") },
  };
  const models = { base: demo("base"), experts: ["nature", "craft", "news"].map(demo) };
  const shipped = { ...models, tasks };
  const experiments: Record<string, object> = {
    "demo by gradients": { ...shipped, space: space("task-arithmetic-columns"), budget: { evaluations: 40 } },
    "demo by cma-es": {
      ...shipped,
      space: space("depth-curves"),
      search: { algorithm: "cma-es" },
      budget: { evaluations: 60 },
    },
  };
  if (values.base !== undefined) {
    const few = async (name: string, count: number): Promise<string> => {
      const path = join(folder, name);
      const lines = (await readFile(demo(name), "utf8")).split("\n").slice(0, count);
      await writeFile(path, `${lines.join("\n")}\n`);
      return path;
    };
    experiments["models given"] = {
      base: resolve(values.base),
      experts: values.expert.map((path) => resolve(path)),
      space: space("linear-global"),
      tasks: {
        cosmosqa: { rows: await few("cosmosqa.search.jsonl", 16), guard: await few("cosmosqa.guard.jsonl", 4) },
        xsum: { rows: await few("xsum.search.jsonl", 8), guard: await few("xsum.guard.jsonl", 4) },
      },
      search: { algorithm: "cma-es", population: 4, rowFraction: 0.25 },
      budget: { evaluations: 15 },
    };
  }
  const paths: Record<string, string> = {};
  for (const [name, fields] of Object.entries(experiments)) {
    const path = (paths[name] = join(folder, `${name.replaceAll(" ", "-")}.yaml`));
    // JSON is YAML.
    await writeFile(path, JSON.stringify(fields));
  }
  return paths;
}

function inProcess(what: "plan" | "run", path: string): Promise<Measured> {
  return new Promise((done, fail) => {
    const child = fork(import.meta.filename, [what, path]);
    child.once("message", (message) => done(message as Measured));
    child.once("exit", (code) => fail(new Error(`bench: ${what} of ${path} ended with ${code}`)));
  });
}

/** CPU time of all threads, as lanes have it that are busy throughout; in milliseconds. */
function busyTime(): number {
  return cpuTime() / availableParallelism();
}

/** In milliseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function planned(path: string): Promise<Measured> {
  const { generation, memory } = await planExperiment(await loadExperiment(path), {
    watch: { lanes: busyTime, host: cpuTime },
  });
  return {
    generation: generation.busyMs / 1000,
    deviceBytes: memory.devicePeakBytes,
    processBytes: memory.hostPeakBytes,
  };
}

async function taken(path: string): Promise<Measured> {
  const experiment = await loadExperiment(path);
  const engine = await openEngine(experiment);
  const folder = await mkdtemp(join(tmpdir(), "bench-run-"));
  try {
    await launchRun(experiment, folder, { engine, wall: { now: busyTime, after: () => () => {} } });
    const { records } = readJournal(folder);
    const generations = records.flatMap((record) => (record.type === "result" ? [record.time.ms] : []));
    return {
      generation: (median(generations) * availableParallelism()) / 1000,
      deviceBytes: engine.device.memory.peakBytes,
      processBytes: 1024 * process.resourceUsage().maxRSS,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
