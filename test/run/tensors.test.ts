import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { resumeRun } from "../../src/run/run-experiment.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";
import { tinyModel } from "../tiny-model.ts";

test("a run searches a coefficient for each tensor, resumes, and exports what it found", async () => {
  const folder = await temporaryFolder();
  const file = {
    space: { method: "task_arithmetic", groups: "tensors", depth: "per-layer" },
    search: { algorithm: "sep-cma-es", population: 4, rowFraction: 0.5 },
    budget: { evaluations: 15 },
  };
  const experiment = await tinyExperiment(folder, { file });
  const { folder: run, outcome } = await launch(experiment, join(folder, "run"));
  expect(outcome.generations).toBe(3);
  const weights = allWeights(tinyModel());
  const [plan] = recorded(run, "plan");
  expect(plan!.genes).toHaveLength(2 * weights.length);
  expect((await resumeRun(run)).winner).toEqual(outcome.winner);

  // Whatever won, the means of the search have their curves by kind, and are exported as any merge is.
  const searched = recorded(run, "finalists")[0]!.models.flatMap(({ recipe }) =>
    recipe.method === "passthrough" || !("q_proj" in recipe.parameters["weight"]!) ? [] : [recipe],
  );
  expect(searched.length).toBeGreaterThan(0);
  const kinds = [...new Set(weights.map(({ tensor }) => tensor))];
  for (const { parameters } of searched) expect(Object.keys(parameters["weight"]!)).toEqual(kinds);
  const to = join(folder, "model");
  const exported = await exportRun(run, { to });
  expect(JSON.parse(readFileSync(join(to, "recipe.json"), "utf8"))).toEqual(exported.winner.recipe);
});
