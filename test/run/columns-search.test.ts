import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

/** Every input column of every tensor and expert of a tiny model has a coefficient, beside one for each kind of tensors. */
async function columnsExperiment(algorithm: string): Promise<Experiment> {
  const file = {
    space: { method: "task_arithmetic", groups: "tensors", depth: "constant", columns: true },
    search: { algorithm, rowFraction: 1 },
    budget: { evaluations: 48 },
  };
  return tinyExperiment(await temporaryFolder(), { file, model: { dtype: "f32" } });
}

describe.each(["gradient-walk", "lineages"])("a search of input columns by %s", (algorithm) => {
  test("leads to a better merge than where it began, records points without names, and is exported as it was scored", async () => {
    const { folder } = await launch(await columnsExperiment(algorithm), join(await temporaryFolder(), "run"));
    const [plan] = recorded(folder, "plan");
    const [ask] = recorded(folder, "ask");
    const dimension = plan!.genes.length + plan!.columns!;
    expect(plan!.columns).toBeGreaterThan(10 * plan!.genes.length);
    expect(readJournal(folder).readNumbers(ask!.points).length % dimension).toBe(0);
    const losses = recorded(folder, "result").map((result) => result.losses[result.reference]!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    const [finalists] = recorded(folder, "finalists");
    expect(finalists!.winner.recipe).toHaveProperty("columns.weight");
    const [verdict] = recorded(folder, "verdict");
    await writeTables(folder);
    const [header] = readFileSync(join(folder, "evaluations.csv"), "utf8").split("\n");
    expect(header!.split(",").filter((column) => column.includes("weight"))).toEqual(plan!.genes);
    const { weightsDigest } = await exportRun(folder);
    expect(weightsDigest).toBe(verdict!.weightsDigest);
  });

  test("is the same again to the last bit, and is replayed where it is resumed", async () => {
    const experiment = await columnsExperiment(algorithm);
    const { folder } = await launch(experiment, join(await temporaryFolder(), "run"));
    const again = await launch(experiment, join(await temporaryFolder(), "run"));
    expect(traces(again.folder)).toEqual(traces(folder));
    const before = traces(folder);
    await resumeRun(folder);
    expect(traces(folder)).toEqual(before);
  });
});
