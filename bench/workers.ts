/**
 * What workers on one core each are worth: `npx tsx bench/workers.ts redis://127.0.0.1 [repetitions] [experiment] [merges]`, with nothing
 * else at that Redis. Nine merges, unless told otherwise, are scored on all search rows, by one worker and by two. On a machine that others use the wall clock says little; then the
 * CPU-seconds of the worker that was busier tell how long two take that have a core each.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { loadTasks } from "../src/experiment/load-tasks.ts";
import { BASE } from "../src/experiment/the-base.ts";
import { openWorkspace } from "../src/experiment/workspace.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { allRows } from "../src/run/session/session.ts";
import { genomeOf } from "../src/space/spaces.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { joinWorkers } from "../src/workers/join-workers.ts";
import { redisPlace } from "../src/workers/redis-place.ts";
import { machine } from "./machine.ts";

const root = join(import.meta.dirname, "..");
const [url = "", repetitions = "5", file = join(root, "experiments", "demo.yaml"), merges = "9"] =
  process.argv.slice(2);
const experiment = await loadExperiment(file);
const place = { redis: redisPlace(url, process.env), experiment: experiment.name };

/** Seconds of one scoring: of the clock, of all workers' CPUs, and of the CPU that was busiest. */
interface Taken {
  readonly wall: number;
  readonly cpu: number;
  readonly busiest: number;
}

console.log(`${machine()}\n`);
const [one, two] = [await scoredBy(1), await scoredBy(2)];
const rows = [one, two].map(({ wall, cpu, busiest }, i) => [
  `${i + 1}`,
  ...[wall, cpu, busiest, one.wall / wall, one.busiest / busiest].map((value) => value.toFixed(2)),
]);
const header = ["workers", "wall s", "CPU s", "CPU s of the busiest", "speed-up by the clock", "by CPU-seconds"];
console.log(alignedText({ header, rows }));

/** The median of each, over repetitions; the first of all is not counted, since parents are read in it. */
async function scoredBy(count: number): Promise<Taken> {
  const workers = await Promise.all(Array.from({ length: count }, (_, core) => startWorker(core)));
  try {
    await using elsewhere = await joinWorkers(place);
    await using workspace = await openWorkspace(experiment, { elsewhere });
    const selection = allRows(await loadTasks(experiment, workspace.evaluator), "search");
    const genome = genomeOf(experiment.space, { ...workspace, base: BASE });
    const recipes = Array.from({ length: Number(merges) }, (_, i) => {
      const random = RandomStream.of(i, "points");
      return genome.decode(Float64Array.from({ length: genome.dimension }, () => random.uniform()));
    });
    const taken: Taken[] = [];
    for (let times = 0; times <= Number(repetitions); times += 1) {
      const [began, before] = [performance.now(), workers.map(cpuOf)];
      await workspace.evaluator.evaluate(recipes, selection);
      const own = workers.map((worker, i) => cpuOf(worker) - before[i]!);
      const cpu = own.reduce((sum, seconds) => sum + seconds, 0);
      taken.push({ wall: (performance.now() - began) / 1000, cpu, busiest: Math.max(...own) });
    }
    const median = (name: keyof Taken): number =>
      taken
        .slice(1)
        .map((each) => each[name])
        .toSorted((a, b) => a - b)[Math.floor(Number(repetitions) / 2)]!;
    return { wall: median("wall"), cpu: median("cpu"), busiest: median("busiest") };
  } finally {
    for (const worker of workers) {
      worker.kill("SIGTERM");
      await once(worker, "exit");
    }
  }
}

/** A worker that has one core; it says when it serves. */
async function startWorker(core: number): Promise<ChildProcess> {
  const args = ["--import", "tsx", join(root, "src", "cli", "main.ts"), "worker", file, "--redis", url];
  const child = spawn("taskset", ["-c", String(core), process.execPath, ...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) if (line.startsWith("worker for")) break;
  child.stderr.resume();
  return child;
}

/** CPU-seconds of a process so far. */
function cpuOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
