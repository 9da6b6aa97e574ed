import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";
import type { Budget } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type TinyExperiment, traces, writeTinyExperiment } from "../tiny-experiment.ts";

const SEED = 1;
/** EVOMERGE_KILLS asks for more. */
export const KILLS: number = Number(process.env["EVOMERGE_KILLS"] ?? 20);
/** For so many kills. */
export const timeoutFor = (kills: number): number => 600_000 + kills * 60_000;

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
  const script = compiled("test/run/carry-through");
  const child = spawn(process.execPath, [script], { timeout: 600_000, killSignal: "SIGABRT" });
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
export async function killAndCompare(
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

  // Most runs are killed twice; the first kill of each falls into another part of the lifetime.
  const parts = Math.ceil(count / 2);
  const random = RandomStream.of(SEED, "kills");
  const kills: string[] = [];
  for (let number = 0; kills.length < count; number += 1) {
    const run = join(folder, `run-${number}`);
    const first = (((number % parts) + random.uniform()) / parts) * whole.ms;
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
