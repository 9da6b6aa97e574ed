import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import type { MergeRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";
import { tinyModel } from "../tiny-model.ts";

test("a run searches a coefficient for each tensor, resumes, and exports what it found", async () => {
  const folder = await temporaryFolder();
  const file = {
    space: { method: "task_arithmetic", groups: "tensors", depth: "per-layer" },
    search: { algorithm: "sep-cma-es", population: 4, rowFraction: 1 },
    budget: { evaluations: 15 },
  };
  const experiment = await tinyExperiment(folder, { file });
  const { folder: run, outcome } = await launch(experiment, join(folder, "run"));
  expect(outcome.generations).toBe(3);
  const weights = allWeights(tinyModel());
  const [plan] = recorded(run, "plan");
  expect(plan!.genes).toHaveLength(2 * weights.length);
  expect((await resumeRun(run)).winner).toEqual(outcome.winner);

  // The merge that the search found has its curves by kind of tensors, and what is written is what was scored.
  const to = join(folder, "model");
  const { winner } = await exportRun(run, { to });
  expect(winner.name).toBe("evolved merge");
  const { parameters } = JSON.parse(readFileSync(join(to, "recipe.json"), "utf8")) as MergeRecipe;
  expect(Object.keys(parameters["weight"]!)).toEqual([...new Set(weights.map(({ tensor }) => tensor))]);
});
