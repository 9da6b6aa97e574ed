import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const least = `
base: org/base
experts: [org/nature, org/craft]
space: { method: linear, groups: all, depth: constant }
tasks: { xsum: { rows: { dataset: org/rows } } }
budget: { time: 10m }
recipes:
`;

/** Loads an experiment whose line 8, after two spaces, is the given recipe. */
async function load(recipe: string): Promise<Experiment> {
  const path = join(await temporaryFolder(), "experiment.yaml");
  await writeFile(path, `${least}  ${recipe}\n`);
  return loadExperiment(path);
}

describe("recipes of an experiment", () => {
  test("are values by parameter, expert and group, one or a list of knots", async () => {
    const text = "tilt: { method: linear, weight: { nature: { mlp: [0, 0.5, 1], rest: 0.25 }, craft: [1, 0] } }";
    const { recipes } = await load(text);
    const [all, quarter] = [[1, 0], [0.25]];
    expect(recipes).toEqual({
      tilt: {
        method: "linear",
        parameters: {
          weight: {
            nature: { attention: quarter, mlp: [0, 0.5, 1], norm: quarter, embedding: quarter },
            craft: { attention: all, mlp: all, norm: all, embedding: all },
          },
        },
      },
    });
  });

  test.each([
    [
      "a: { method: linear, weight: { nature: 1e308, craft: 0 } }",
      "recipes.a.weight.nature: expected at most 1000, found 1e+308",
    ],
    [
      "a: { method: linear, weight: { nature: [0, -1001], craft: 0 } }",
      "recipes.a.weight.nature[1]: expected at least -1000, found -1001",
    ],
    [
      `a: { method: linear, weight: { nature: [${"0,".repeat(1001)}], craft: 0 } }`,
      "recipes.a.weight.nature: expected at most 1000 items, found a list of 1001",
    ],
    [
      "a: { method: linear, weight: { toString: 1, nature: 1, craft: 0 } }",
      "recipes.a.weight.toString: no expert has this name",
    ],
    ["a: { method: linear }", '8:6: recipes.a: missing key "weight": expected a value for each of nature, craft'],
    [
      "a: { weight: { nature: 1, craft: 0 } }",
      'recipes.a: missing key "method": expected linear, task_arithmetic, ties',
    ],
    ["a: { method: linear, wieght: {} }", '8:24: recipes.a: unknown key "wieght"; did you mean "weight"?'],
    ["a: { method: slurp, weight: {} }", "recipes.a.method: expected linear, task_arithmetic, ties"],
    [
      "a: { method: slerp, t: { nature: 0.5, craft: 0.5 } }",
      "recipes.a.method: the method slerp merges 1 expert, and there are 2; take other experts, or another method",
    ],
    ["a: { method: model_stock, weight: { nature: 1, craft: 1 } }", "the method model_stock takes no parameters"],
    [
      "a: { method: linear, weight: { nature: 1 } }",
      "8:32: recipes.a.weight: no value for craft; 0 leaves an expert out",
    ],
    [
      "a: { method: linear, weight: { nature: 1, kraft: 1 } }",
      '8:52: recipes.a.weight.kraft: no expert has this name; did you mean "craft"?',
    ],
    [
      "a: { method: linear, weight: { nature: 1, craft: 0, unrelated: 1 } }",
      "recipes.a.weight.unrelated: no expert has this name; the experts are nature, craft",
    ],
    [
      "a: { method: linear, weight: { nature: { attention: 1, mlp: 1 }, craft: 0 } }",
      '8:42: recipes.a.weight.nature: no value for norm, embedding; "rest" is the value of all groups that are not named',
    ],
    [
      "a: { method: linear, weight: { nature: { atention: 1, rest: 1 }, craft: 0 } }",
      '8:44: recipes.a.weight.nature: unknown key "atention"; did you mean "attention"?',
    ],
    [
      "a: { method: linear, weight: { nature: { mlp: half, rest: 1 }, craft: 0 } }",
      '8:49: recipes.a.weight.nature.mlp: expected a number or a list, found "half"',
    ],
    [
      "a: { method: linear, weight: { nature: half, craft: 0 } }",
      '8:42: recipes.a.weight.nature: expected a number, a list or a mapping, found "half"',
    ],
    [
      "a: { method: linear, weight: { nature: [1], craft: 0 } }",
      "8:42: recipes.a.weight.nature: expected at least 2 items, found a list of 1",
    ],
    [
      "a: { method: linear, weight: { nature: [1, .inf], craft: 0 } }",
      "8:46: recipes.a.weight.nature[1]: expected a number, found Infinity",
    ],
    [
      "craft: { method: linear, weight: { nature: 1, craft: 0 } }",
      '8:10: recipes.craft: a parent is named "craft" too; give the recipe a name of its own',
    ],
    ["base: { method: linear, weight: { nature: 1, craft: 0 } }", 'a parent is named "base" too'],
    ["a b: { method: linear, weight: { nature: 1, craft: 0 } }", "recipes.a b: expected a name of letters"],
  ])("refuse %s", async (recipe, message) => {
    await expect(load(recipe)).rejects.toThrow(message);
  });
});
