import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportRun } from "../../src/export/export-run.ts";
import type { MergeRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { cutAfter } from "../cut-run.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";
import { tinyT5Config } from "../tiny-t5.ts";

// Such that a merge beats what it is made of.
const config = tinyT5Config({ n_positions: 256 });

test("a T5 is searched by gradient, judged, exported as it was scored, and resumed bit for bit", async () => {
  const file = { search: { algorithm: "gradient-walk", rowFraction: 1 }, budget: { evaluations: 16 } };
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder, { file, model: { config, seed: 3 } });
  const run = join(await temporaryFolder(), "run");
  await launch(experiment, run);
  expect(recorded(run, "result").every(({ losses }) => losses.every(Number.isFinite))).toBe(true);
  expect(recorded(run, "verdict")).toHaveLength(1);

  const exported = join(await temporaryFolder(), "exported");
  await exportRun(run, { to: exported });
  const { method, parameters } = JSON.parse(readFileSync(join(exported, "recipe.json"), "utf8")) as MergeRecipe;
  expect(method).toBe("task_arithmetic");
  expect(Object.keys(parameters["weight"]!)).toContain("decoder.attention");
  await using checkpoint = await Checkpoint.open(exported);
  const model = openModel(checkpoint, "f32");
  checkWeights(model, checkpoint);
  expect([...checkpoint.tensors.keys()].toSorted()).toEqual(
    allWeights(model)
      .map(({ name }) => name)
      .toSorted(),
  );
  expect(existsSync(join(exported, "mergekit_config.yml"))).toBe(true);
  expect((await scoreModel({ model: exported, rows: join(folder, "rows", "quiz.jsonl") })).rows).toBe(16);
  const cut = cutAfter(run, 6, join(await temporaryFolder(), "cut"));
  await resumeRun(cut);
  expect(traces(cut)).toEqual(traces(run));
});
