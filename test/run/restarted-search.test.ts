import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runReport } from "../../src/report/run-report.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { interrupt, launch } from "../observed-run.ts";
import { simulatedMachine } from "../simulated-machine.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

/** Two genes on all rows: a search that converges in some 30 generations. */
const search = { algorithm: "cma-es", population: 4, rowFraction: 1 };
const space = { method: "task_arithmetic", groups: "all", depth: "constant" };
const model = { dtype: "f32" } as const;

describe("a search that has converged", () => {
  test("spends the rest of its evaluations on another run, whose generations count as what they are, and compares all it has found", async () => {
    const experiment = await tinyExperiment(await temporaryFolder(), {
      file: { search, space, budget: { evaluations: 170 } },
      model,
    });
    const { folder, events } = await launch(experiment, join(await temporaryFolder(), "run"));
    const sizes = recorded(folder, "result").map(({ losses }) => losses.length);
    // There is no room for a population of eight to converge. The best mean is in every generation from then on.
    expect([...new Set(sizes)]).toEqual([5, 6]);
    const scored = sizes.reduce((sum, size) => sum + size, 0);
    expect(scored).toBeLessThanOrEqual(170);
    expect(scored).toBeGreaterThan(170 - sizes.at(-1)!);
    expect(recorded(folder, "result").at(-1)!.spent).toBeCloseTo(scored / 170, 12);
    expect(events.findLast(({ type }) => type === "generation")).toMatchObject({ left: { evaluations: 170 - scored } });
    expect(events).toContainEqual({ type: "restarted", candidates: 6, replayed: false });
    expect(runReport(folder, readJournal(folder).records, [])).toContain(
      "it began again with up to twice the candidates",
    );
    // The means of all its runs meet all rows.
    const [finalists] = recorded(folder, "finalists");
    expect(finalists!.models.map(({ name }) => name).slice(0, 2)).toEqual(["best mean", "rival 1"]);
    const best = Math.min(...recorded(folder, "result").map(({ losses, reference }) => losses[reference]!));
    expect(finalists!.winner.loss).toBeLessThan(best + 1e-4);
    // Interrupted where it begins again, and resumed.
    const other = join(await temporaryFolder(), "run");
    await interrupt(experiment, other, ({ type }) => type === "restarted");
    await resumeRun(other);
    expect(traces(other)).toEqual(traces(folder));
  });

  test("keeps to its time", async () => {
    const experiment = await tinyExperiment(await temporaryFolder(), {
      file: { search, space, budget: { time: "200s" } },
      model,
    });
    const machine = await simulatedMachine({ runMs: 40, numberMs: 0.0016 });
    const { folder } = await launch(experiment, join(await temporaryFolder(), "run"), machine);
    const sizes = recorded(folder, "result").map(({ losses }) => losses.length);
    expect(Math.max(...sizes)).toBeGreaterThan(5);
    expect(machine.wall.now()).toBeLessThan(200_000);
    expect(machine.wall.now()).toBeGreaterThan(0.8 * 200_000);
  });
});
