/**
 * Writes what a run of the demo under a budget of evaluations tells, and when, for the test of the time that is told to be left:
 * `npx tsx test/cli/write-told-times.ts > test/fixtures/cli/told-times.json`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";

const folder = await mkdtemp(join(tmpdir(), "evomerge-"));
const told: { at: number; elapsedMs?: number; event: RunEvent }[] = [];
const onEvent = (event: RunEvent, elapsedMs?: number): void => {
  if (event.type === "notice" || event.type === "verdict" || event.type === "finalists") return;
  // A pass of a generation tells nothing but that it goes on.
  if (event.type === "progress" && event.phase === "search" && event.share < 1) return;
  const short = "models" in event ? { ...event, models: [] } : event;
  told.push({ at: performance.now(), ...(elapsedMs !== undefined && { elapsedMs }), event: short });
};
const run = join(folder, "run");
const experiment = { ...(await loadExperiment("demo")), budget: { evaluations: 120 } };
await launchRun(experiment, run, { onEvent, exports: true });
await exportRun(run, { onEvent });
await rm(folder, { recursive: true });

const whole = (ms: number): number => Math.round(ms);
const lines = told.map(({ at, elapsedMs, event }) =>
  JSON.stringify(
    { at: whole(at), ...(elapsedMs !== undefined && { elapsedMs: whole(elapsedMs) }), event },
    (key, value: unknown) =>
      key.endsWith("Ms") && typeof value === "number"
        ? whole(value)
        : key === "folder" || key === "engine"
          ? ""
          : value,
  ),
);
process.stdout.write(`[\n${lines.join(",\n")}\n]\n`);
