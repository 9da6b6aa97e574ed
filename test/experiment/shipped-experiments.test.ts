import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { isPinned, parseReference } from "../../src/hub/api/reference.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { isKnotRecipe, type KnotRecipe, recipeOver } from "../../src/space/knot-recipe.ts";
import { tinyModel } from "../tiny-model.ts";
import { mergeSpace } from "../merge-space.ts";

const folder = join(import.meta.dirname, "..", "..", "experiments");
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const LAYERS = 32;

const load = (file: string): ReturnType<typeof loadExperiment> => loadExperiment(join(folder, file));

/** Every recipe of the shipped experiments. */
async function allRecipes(): Promise<[string, KnotRecipe][]> {
  const experiments = await Promise.all(files.map(load));
  return experiments.flatMap(({ recipes = {} }) =>
    Object.entries(recipes).flatMap(([name, recipe]) =>
      isKnotRecipe(recipe) ? [[name, recipe] as [string, KnotRecipe]] : [],
    ),
  );
}

describe("the shipped experiments", () => {
  test.each(files)("%s loads, has a line in the README, and takes models and rows from the Hub", async (file) => {
    const { base, experts, tasks } = await load(file);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(`| \`${file}\``);
    if (file === "demo.yaml") return;
    for (const model of [base, ...experts.map(({ path }) => path)]) expect(parseReference(model), model).toBeDefined();
    expect(tasks.map(({ rows }) => rows)).toEqual(
      ["cosmos_qa", "xsum"].map((config) => ({ dataset: "AlgorithmicResearchGroup/llm_merging", config })),
    );
  });

  test.each(files)("%s pins every model, or says that its commit is not known", async (file) => {
    const { base, experts } = await load(file);
    const models = [base, ...experts.map(({ path }) => path)].map(parseReference);
    const unpinned = models.filter((model) => model !== undefined && !isPinned(model));
    if (unpinned.length > 0) expect(readFileSync(join(folder, file), "utf8")).toMatch(/(is|are) not known here/);
  });

  test("give the published recipes by name", async () => {
    const recipes = await allRecipes();
    expect(recipes.map(([name]) => name)).toEqual(["dare-ties", "dare-ties-normalized", "llama-avg", "second-place"]);
  });

  test.each(files)("%s has recipes that are points of its search space", async (file) => {
    const { space, experts, recipes = {} } = await load(file);
    const model = tinyModel({ layers: LAYERS });
    const genome = buildGenome(mergeSpace(space), { experts: experts.map(({ name }) => name), model });
    for (const given of Object.values(recipes).filter(isKnotRecipe)) {
      const recipe = recipeOver(model.groups, given);
      const decoded = genome.decode(genome.encode(recipe));
      expect(decoded.method).toBe(recipe.method);
      for (const [group, byExpert] of Object.entries(recipe.parameters["weight"]!)) {
        for (const [expert, { layers, rest }] of Object.entries(byExpert)) {
          const found = decoded.parameters["weight"]![group]![expert]!;
          for (const [i, value] of [...layers, rest].entries()) {
            expect([...found.layers, found.rest][i], `${expert} ${group} ${i}`).toBeCloseTo(value, 10);
          }
        }
      }
    }
  });
});
