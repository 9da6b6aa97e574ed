import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergeModels, type MergedModel } from "../../../src/export/from-recipe/merge-models.ts";
import { methodNames } from "../../../src/merge/declarations.ts";
import { uniformRecipe } from "../../../src/merge/recipe.ts";
import { refusal } from "../../refusal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyModel, writeTinyModel } from "../../tiny-model.ts";

test("takes mergekit's YAML for it though it is written with braces and quotes", async () => {
  const folder = await temporaryFolder();
  await writeTinyModel(join(folder, "a"), { layers: 1 });
  const recipe = join(folder, "recipe.yml");
  writeFileSync(
    recipe,
    '{merge_method: linear, models: [{model: ./a, parameters: {weight: [{filter: "method", value: 1}, {value: 1}]}}]}',
  );
  await mergeModels({ recipe, to: join(folder, "out") });
  writeFileSync(recipe, '{merge_method: passthrough, models: [{model: ./a}], "rest": 1}');
  expect(await refusal(mergeModels({ recipe, to: join(folder, "out") }))).toContain('unknown key "rest"');
});

test("takes the recipe of an export for one whatever it is called, and says what it lacks", async () => {
  const folder = await temporaryFolder();
  for (const [seed, name] of ["base", "a", "b"].entries())
    await writeTinyModel(join(folder, name), { layers: 3, perturbed: { seed, by: 0.1 } });
  const at = (name: string): string => join(folder, name);
  const merged = (recipe: string): Promise<MergedModel> =>
    mergeModels({ recipe, to: join(folder, "out"), base: at("base"), experts: { a: at("a"), b: at("b") } });
  const copy = join(folder, "my-recipe.yml");
  const recipe = uniformRecipe("task_arithmetic", { a: 0.3, b: 0.4 }, tinyModel({ layers: 3 }).groups);
  writeFileSync(copy, JSON.stringify(recipe));
  const { files } = await merged(copy);
  renameSync(copy, join(folder, "recipe.json"));
  expect((await merged(folder)).files).toEqual(files);
  writeFileSync(copy, JSON.stringify({ parameters: recipe.parameters }));
  expect(await refusal(merged(copy))).toBe(
    `${copy}: expected a recipe as an export writes it: missing key "method": expected passthrough, stack, ${methodNames.slice(0, -1).join(", ")} or ${methodNames.at(-1)}`,
  );
  writeFileSync(copy, `${JSON.stringify(recipe).slice(0, -1)},}`);
  expect(await refusal(merged(copy))).toMatch(/my-recipe\.yml: expected a JSON object: this is not JSON from/);
  const { mlp: _, ...others } = recipe.parameters["weight"]!;
  writeFileSync(copy, JSON.stringify({ ...recipe, parameters: { weight: others } }));
  expect(await refusal(merged(copy))).toMatch(
    /my-recipe\.yml: weight: expected values for the group mlp, which model\.layers\.0\.mlp\.\w+\.weight is of/,
  );
  const layers = ["a", "b"].map((model, i) => ({ model, layer: 2 + i, scale: 1 }));
  writeFileSync(copy, JSON.stringify({ method: "stack", layers, rest: "a" }));
  expect(await refusal(merged(copy))).toBe(
    `${copy}: layers[1].layer: expected one from 0 to 2, which the base has, found 3`,
  );
});
