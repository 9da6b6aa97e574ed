/**
 * Runs the shipped experiment at short budgets, on the machine as it is and beside busy processes, and prints a table: whether each
 * run ended in its budget with an export, what it searched, and what it said it left out.
 * `node --import tsx bench/budgets.ts [seconds ...] [--busy 4]`
 */
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printable } from "../src/files/printable.ts";
import { exportRun } from "../src/export/export-run.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { withOverrides } from "../src/experiment/experiment.ts";
import type { RunEvent } from "../src/run/session/events.ts";
import { launchRun } from "../src/run/launch-run.ts";

const BUSY = "--busy-child";
const EXPERIMENT = join(import.meta.dirname, "..", "experiments", "demo.yaml");

if (process.argv[2] === BUSY) for (;;);

const { values, positionals } = parseArgs({
  options: { busy: { type: "string", default: "0" } },
  allowPositionals: true,
});
const budgets = positionals.length > 0 ? positionals.map(Number) : [10, 20, 60];
const busy = Array.from({ length: Number(values.busy) }, () => fork(import.meta.filename, [BUSY]));
try {
  print("| budget s | took s | load | searched s | generations | verdict | winner | left out |");
  print("| ---: | ---: | ---: | ---: | ---: | --- | --- | --- |");
  for (const seconds of budgets) print(await row(seconds));
} finally {
  for (const child of busy) child.kill("SIGKILL");
}

async function row(seconds: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "evomerge-budget-"));
  try {
    const events: { readonly at: number; readonly event: RunEvent }[] = [];
    const experiment = withOverrides(await loadExperiment(EXPERIMENT), { budget: { seconds } });
    const began = performance.now();
    const onEvent = (event: RunEvent): void => void events.push({ at: performance.now(), event });
    const { winner, verdict } = await launchRun(experiment, join(folder, "run"), { onEvent, exports: true });
    const { model } = await exportRun(join(folder, "run"));
    const took = (performance.now() - began) / 1000;
    const generations = events.filter(({ event }) => event.type === "generation");
    const planned = events.find(({ event }) => event.type === "planned")?.at ?? began;
    const searched = ((generations.at(-1)?.at ?? planned) - planned) / 1000;
    const cells = [
      `${seconds}`,
      `${took.toFixed(1)}${took > seconds ? " late" : ""}`,
      loadavg()[0]?.toFixed(1) ?? "",
      searched.toFixed(1),
      `${generations.length}`,
      verdict ? guardText(verdict.rows, verdict.outOf) : "none",
      `${winner.name}${existsSync(join(model, "model.safetensors")) ? "" : ", not exported"}`,
      leftOut(events.map(({ event }) => event)).join("; "),
    ];
    return `| ${cells.join(" | ")} |`;
  } catch (error) {
    return `| ${seconds} | failed: ${(error as Error).message} |`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function guardText(rows: Readonly<Record<string, number>>, outOf: Readonly<Record<string, number>>): string {
  return `${sum(rows)} of ${sum(outOf)} rows`;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function leftOut(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "skipped") return [`${event.phase}: ${event.why}`];
    if (event.type === "baselines" && event.skipped.length > 0) return [`${event.skipped.length} baselines`];
    return [];
  });
}

function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}
