import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Budget } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, type TinyExperiment, traces, writeTinyExperiment } from "../tiny-experiment.ts";

const SEED = 1;
/** EVOMERGE_KILLS asks for more. */
const KILLS = Number(process.env["EVOMERGE_KILLS"] ?? 20);
/** Equal parts of a run's lifetime; the first kills of as many runs fall into one each. */
const PARTS = 10;

/** What a run says of itself. */
type Phase = "begins" | "exports";

/** A kill so many milliseconds after the run said something. */
interface Kill {
  readonly after: Phase;
  readonly ms: number;
}

/** Everything that a finished run leaves behind, except its times. */
function leftBy(run: string): object {
  const sums = readFileSync(join(run, "best", "SHA256SUMS"), "utf8").split("\n");
  // The card tells how long the run took; the first line is of all others.
  const exported = sums.slice(1).filter((line) => !line.endsWith(" README.md"));
  return { ...traces(run), exported, files: readdirSync(run).toSorted() };
}

/** How far a killed run had come. */
function stage(run: string): string {
  if (existsSync(join(run, "best"))) return "exported";
  if (existsSync(run) && readdirSync(run).some((name) => name.startsWith(".best.evomerge-"))) return "exporting";
  return existsSync(join(run, "journal.jsonl")) ? `${readJournal(run).records.at(-1)?.type} recorded` : "opening";
}

/** A process of carry-through.ts. */
function startProcess(): { child: ChildProcessWithoutNullStreams; closed: Promise<unknown>; errors: () => string } {
  const script = compiled(import.meta.dirname, "carry-through.ts");
  const child = spawn(process.execPath, [script], { timeout: 240_000, killSignal: "SIGABRT" });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  // Where the process is gone already its exit code tells.
  child.stdin.on("error", () => {});
  return { child, closed: once(child, "close"), errors: () => errors };
}

/** Runs processes one after another; the next one loads its modules meanwhile. */
class Processes {
  #next = startProcess();

  constructor() {
    onTestFinished(() => void this.#next.child.kill("SIGKILL"));
  }

  /** Carries a run through, unless it is killed; says when the export began and all ended, in milliseconds. */
  async carryThrough(
    file: string,
    run: string,
    { budgets = [], kill }: { readonly budgets?: readonly Budget[]; readonly kill?: Kill | undefined } = {},
  ): Promise<{ killed: boolean; exportsMs: number; ms: number }> {
    const { child, closed, errors } = this.#next;
    this.#next = startProcess();
    const said: Partial<Record<string, number>> = {};
    let timer: NodeJS.Timeout | undefined;
    createInterface({ input: child.stdout }).on("line", (line) => {
      said[line] = performance.now();
      if (line === kill?.after) timer = setTimeout(() => child.kill("SIGKILL"), kill.ms);
    });
    child.stdin.write(`${JSON.stringify([file, run, budgets])}\n`);
    await closed;
    clearTimeout(timer);
    const killed = child.signalCode === "SIGKILL";
    if (!killed && child.exitCode !== 0) throw new Error(`${child.signalCode ?? child.exitCode}: ${errors()}`);
    const { begins = Number.NaN, exports = Number.NaN } = said;
    return { killed, exportsMs: exports - begins, ms: performance.now() - begins };
  }
}

/** Runs that are killed at random moments and resumed leave what one leaves that is not; returns the folder of that one. */
async function killAndCompare(
  count: number,
  evaluations: number,
  {
    budgets = [],
    model,
    ...fields
  }: Pick<TinyExperiment, "model"> & {
    readonly budgets?: readonly Budget[];
    readonly search?: object;
    readonly space?: object;
  } = {},
): Promise<string> {
  const folder = await temporaryFolder();
  const file = await writeTinyExperiment(folder, {
    file: { budget: { evaluations }, ...fields },
    ...(model && { model }),
  });
  const processes = new Processes();
  const whole = await processes.carryThrough(file, join(folder, "whole"), { budgets });
  const expected = leftBy(join(folder, "whole"));
  /** A moment of the lifetime, for a process that takes up the run `from` a moment. */
  const killAt = (moment: number, from = 0): Kill =>
    moment < whole.exportsMs
      ? { after: "begins", ms: moment - from }
      : { after: "exports", ms: moment - whole.exportsMs };

  const random = RandomStream.of(SEED, "kills");
  const kills: string[] = [];
  for (let number = 0; kills.length < count; number += 1) {
    const run = join(folder, `run-${number}`);
    const first = (((number % PARTS) + random.uniform()) / PARTS) * whole.ms;
    const second = first + random.uniform() * (whole.ms - first);
    for (const kill of [killAt(first), killAt(second, first), undefined]) {
      const context = `seed ${SEED}, run ${number}, ${kill?.ms.toFixed(0)} ms after it ${kill?.after}; ${kills.join(", ")}`;
      const { killed, ms } = await processes.carryThrough(file, run, { budgets, kill }).catch((cause: unknown) => {
        throw new Error(context, { cause });
      });
      if (!killed) break;
      kills.push(`run ${number} after ${ms.toFixed(0)} ms (${stage(run)})`);
    }
    expect(leftBy(run), `seed ${SEED}, run ${number}; ${kills.join(", ")}`).toEqual(expected);
  }
  return join(folder, "whole");
}

describe("a run", () => {
  test(
    `killed at ${KILLS} random moments and resumed leaves what an uninterrupted run leaves`,
    () => killAndCompare(KILLS, 20),
    KILLS * 30_000,
  );

  test(
    `that is given more budget twice leaves the same too, killed at ${KILLS / 2} moments`,
    () => killAndCompare(KILLS / 2, 5, { budgets: [{ evaluations: 10 }, { evaluations: 20 }] }),
    KILLS * 30_000,
  );

  const columns = { method: "task_arithmetic", groups: "all", depth: "constant", columns: true };
  test.each([
    ["gradient-walk", {}],
    ["gradient-walk", { space: columns }],
    ["lineages", {}],
    ["sep-cma-es", {}],
    ["random", {}],
  ])(
    `that %s steers, in %j, leaves the same genes, losses, gradients and weights, killed at ${KILLS / 4} moments`,
    async (algorithm, space) => {
      await killAndCompare(KILLS / 4, 36, { search: { algorithm, rowFraction: 0.5 }, ...space });
    },
    KILLS * 30_000,
  );

  test(
    `that begins again where its search has converged leaves the same, killed at ${KILLS / 4} moments`,
    async () => {
      const search = { algorithm: "cma-es", population: 4, rowFraction: 1 };
      const space = { method: "task_arithmetic", groups: "all", depth: "constant" };
      const whole = await killAndCompare(KILLS / 4, 130, { search, space, model: { dtype: "f32" } });
      expect(new Set(recorded(whole, "result").map(({ losses }) => losses.length)).size).toBeGreaterThan(1);
    },
    KILLS * 30_000,
  );
});
