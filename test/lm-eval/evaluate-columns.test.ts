import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluateModels } from "../../src/lm-eval/evaluate-models.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { readRecipe } from "../../src/export/recipe-files.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { hasColumns } from "../../src/merge/recipe.ts";
import { readBenchmarks } from "../../src/report/benchmarks.ts";
import { runReport } from "../../src/report/run-report.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";
import { writeFakeLmEval } from "./fake-lm-eval.ts";

test("a winner with coefficients of columns is exported once, found again as it is, and evaluated once", async () => {
  const folder = await temporaryFolder();
  const file = {
    space: { method: "task_arithmetic", groups: "tensors", depth: "per-layer", columns: true },
    search: { algorithm: "gradient-walk", rowFraction: 1 },
    budget: { evaluations: 20 },
  };
  const run = join(folder, "run");
  const { winner } = await launchRun(await tinyExperiment(folder, { file }), run);
  expect(hasColumns(winner.recipe)).toBe(true);
  const { weightsDigest } = await exportRun(run);
  expect(weightsDigest).toBe(recorded(run, "verdict")[0]!.weightsDigest);
  expect(await readRecipe(join(run, "best"))).toEqual(winner.recipe);

  const { python, calls } = await writeFakeLmEval(folder);
  const phases = new Set<string>();
  const evaluate = (): ReturnType<typeof evaluateModels> =>
    evaluateModels(run, { task: "quiz", python, models: ["winner"], onEvent: ({ type }) => void phases.add(type) });
  await evaluate();
  await evaluate();
  expect(calls()).toHaveLength(1);
  expect(phases).not.toContain("exported");
  const report = runReport(run, readJournal(run).records, await readBenchmarks(run));
  expect(report).not.toContain("This winner is an earlier one than the run's");

  // What says less of the recipe than was written is no export of it.
  rmSync(join(run, "best", "columns.st"));
  await evaluate();
  expect(phases).toContain("exported");
  expect(await readRecipe(join(run, "best"))).toEqual(winner.recipe);
});
