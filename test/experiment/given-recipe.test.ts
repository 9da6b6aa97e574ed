import { cpSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { recordedExperiment } from "../../src/experiment/recorded-experiment.ts";
import { recipeFiles } from "../../src/export/recipe-files.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { uniformRecipe } from "../../src/merge/recipe.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { tinyModel } from "../tiny-model.ts";

const recipe = (weight: number): string => `
merge_method: task_arithmetic
base_model: ./base
models:
  - model: ./nature
    parameters: { weight: ${weight}, epsilon: 0.1 }
  - model: craft
    parameters: { weight: [0.1, 0.4] }
`;

describe("a recipe of mergekit's in an experiment", () => {
  test("is kept with the names of parents, is a baseline and survives its journal", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "merge.yml"), recipe(0.9));
    const file = { recipes: { published: "merge.yml" }, budget: { evaluations: 5 } };
    const experiment = await loadExperiment(await writeTinyExperiment(folder, { file }));
    expect(experiment.recipes).toEqual({
      published: {
        mergekit: {
          merge_method: "task_arithmetic",
          base_model: "base",
          models: [
            { model: "nature", parameters: { weight: 0.9, epsilon: 0.1 } },
            { model: "craft", parameters: { weight: [0.1, 0.4] } },
          ],
        },
      },
    });
    expect(recordedExperiment(folder, JSON.parse(JSON.stringify(experiment))).recipes).toEqual(experiment.recipes);
    const run = join(folder, "run");
    const told: string[] = [];
    await launchRun(experiment, run, {
      onEvent: (event) => {
        if (event.type === "notice") told.push(event.text);
        if (event.type === "baselines") told.push(...event.models.map(({ name }) => name));
      },
    });
    expect(told).toContain("published");
    expect(told).toContain(
      "recipes.published: epsilon: task_arithmetic has no such parameter; it is ignored, as in mergekit",
    );
    expect(readJournal(run).records.length).toBeGreaterThan(3);
  });

  test("is refused where its models are not those of the experiment, or no search scores it", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "merge.yml"), recipe(1).replace("./nature", "./others"));
    const file = { recipes: { published: "merge.yml" }, budget: { evaluations: 5 } };
    const path = await writeTinyExperiment(folder, { file });
    expect(await refusal(loadExperiment(path))).toBe(
      `${join(folder, "merge.yml")}: ./others is no model of the experiment; expected base (${join(folder, "base")}), nature (${join(folder, "nature")}), craft (${join(folder, "craft")})`,
    );
    const slices = "merge_method: passthrough\nslices: [{ sources: [{ model: nature, layer_range: [1, 2] }] }]\n";
    writeFileSync(join(folder, "merge.yml"), slices);
    expect(await refusal(launchRun(await loadExperiment(path), join(folder, "run")))).toBe(
      "recipes.published: its layers are others than the base's; a search scores merges of layers of one place each",
    );
  });
});

describe("the recipe.json of an export in an experiment", () => {
  test("is a baseline and survives its journal", async () => {
    const folder = await temporaryFolder();
    const file = { recipes: { earlier: "recipe.json" }, budget: { evaluations: 5 } };
    const path = await writeTinyExperiment(folder, { file });
    const own = uniformRecipe("task_arithmetic", { nature: 0.3, craft: 0.4 }, tinyModel().groups);
    writeFileSync(join(folder, "recipe.json"), recipeFiles(own).get("recipe.json")!);
    const experiment = await loadExperiment(path);
    expect(experiment.recipes).toEqual({ earlier: { exported: own } });
    renameSync(join(folder, "recipe.json"), join(folder, "copy.txt"));
    mkdirSync(join(folder, "best"));
    cpSync(join(folder, "copy.txt"), join(folder, "best", "recipe.json"));
    for (const recipe of ["copy.txt", "best"]) {
      const named = await loadExperiment(await writeTinyExperiment(folder, { file: { recipes: { earlier: recipe } } }));
      expect(named.recipes).toEqual(experiment.recipes);
    }
    expect(recordedExperiment(folder, JSON.parse(JSON.stringify(experiment))).recipes).toEqual(experiment.recipes);
    const told: string[] = [];
    await launchRun(experiment, join(folder, "run"), {
      onEvent: (event) => {
        if (event.type === "baselines") told.push(...event.models.map(({ name }) => name));
      },
    });
    expect(told).toContain("earlier");
  });

  test("is refused where it is none, or of other experts", async () => {
    const folder = await temporaryFolder();
    const file = { recipes: { earlier: "recipe.json" }, budget: { evaluations: 5 } };
    const path = await writeTinyExperiment(folder, { file });
    const recipe = join(folder, "recipe.json");
    writeFileSync(recipe, '{ "method": "linear", "columns": {} }');
    expect(await refusal(loadExperiment(path))).toMatch(/recipe\.json: it has coefficients by column/);
    writeFileSync(recipe, '{ "method": "karcher", "parameters": {}, "options": { "max_iter": 0.5 } }');
    expect(await refusal(loadExperiment(path))).toBe(
      `${recipe}: expected a recipe as an export writes it: options.max_iter: expected a whole number from 0 to 1000000`,
    );
    writeFileSync(recipe, '{ "method": "passthrough", "model": "news" }');
    expect(await refusal(launchRun(await loadExperiment(path), join(folder, "run")))).toBe(
      "recipes.earlier: it is the model news; expected one of base, nature, craft",
    );
  });
});
