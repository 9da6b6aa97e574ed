import { join } from "node:path";
import { expect, test } from "vitest";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { identify, versions } from "../../src/experiment/identity.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { resolvePrecision } from "../../src/experiment/precision.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";

function rowLosses(run: string, type: "rung" | "result"): number[] {
  return [...readJournal(run).readNumbers(recorded(run, type)[0]!.rowLosses)];
}

test("mixed searches as bf16 does and compares as f32 does, and its export proves itself", async () => {
  const folder = await temporaryFolder();
  const search = { algorithm: "cma-es", population: 4, rowFraction: 0.5, seedFromBaselines: false };
  const run = async (precision: string): Promise<string> => {
    const experiment = await tinyExperiment(join(folder, precision), { file: { precision, search } });
    await launchRun(experiment, join(folder, `${precision}-run`));
    return join(folder, `${precision}-run`);
  };
  const [mixed, f32, bf16] = [await run("mixed"), await run("f32"), await run("bf16")];
  expect(rowLosses(mixed, "rung")).toEqual(rowLosses(f32, "rung"));
  expect(rowLosses(mixed, "result")).toEqual(rowLosses(bf16, "result"));
  expect(rowLosses(f32, "rung")).not.toEqual(rowLosses(bf16, "rung"));
  await expect(exportRun(mixed)).resolves.toBeDefined();
});

test("a run goes on in the precision that auto was when it began", async () => {
  await using device = await openGgml({ backend: "cpu" });
  // Whatever auto is here, it was another there.
  const there = resolvePrecision("auto", device) === "f32" ? "mixed" : "f32";
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder, { file: { precision: "auto" } });
  {
    await using workspace = await openWorkspace({ ...experiment, precision: there });
    const identity = identify(workspace, await loadTasks(experiment, workspace.evaluator));
    expect(identity["precision"]).toBe(there);
    Journal.create(join(folder, "run"), { experiment, identity, versions: versions(workspace) })[Symbol.dispose]();
  }
  const events: RunEvent[] = [];
  const { verdict } = await resumeRun(join(folder, "run"), { onEvent: (event) => events.push(event) });
  expect(verdict).toBeDefined();
  expect(events[0]).toMatchObject({ type: "opened", precision: there });
});
