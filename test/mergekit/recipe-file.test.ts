import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import { checkMergekitRecipe, mergekitRecipeSchema } from "../../src/mergekit/recipe-file.ts";

const read = (text: string): unknown => parseYaml(text, "merge.yml", mergekitRecipeSchema);

describe("a file of mergekit", () => {
  test("names models as texts and as mappings", () => {
    const { models, base_model } = checkMergekitRecipe({
      merge_method: "task_arithmetic",
      base_model: { model: { path: "/a+b@c" } },
      models: [{ model: "org/name@v1+org/adapter@v2" }, { model: { model: "base", lora: { path: "tune" } } }],
    });
    expect(base_model).toEqual({ path: "/a+b@c" });
    expect(models?.map(({ model }) => model)).toEqual([
      { path: "org/name", revision: "v1", adapter: { path: "org/adapter", revision: "v2" } },
      { path: "base", adapter: { path: "tune" } },
    ]);
  });

  test.each([
    [
      "merge_methd: linear\nmodels: [{ model: a }]",
      'merge.yml:1:1: unknown key "merge_methd"; did you mean "merge_method"?',
    ],
    [
      "merge_method: linaer\nmodels: [{ model: a }]",
      /^merge\.yml:1:15: merge_method: expected linear, .*, found "linaer"; did you mean "linear"\?$/,
    ],
    [
      "merge_method: linear\nmodels:\n  - model: a\n    parameters:\n      wieght: 1",
      'merge.yml:5:15: models[0].parameters.wieght: no method has such a parameter; did you mean "weight"?',
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\nparameters: { weight: [[1], 2] }",
      "merge.yml:3:23: parameters.weight: expected a finite number, true or false, text or a mapping, found a list of 2",
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\nparameters: { weight: .nan }",
      "merge.yml:3:23: parameters.weight: expected a finite number, true or false, text, a list or a mapping, found NaN",
    ],
    ["merge_method: linear", "merge.yml:1:1: expected exactly one of models, slices or modules, found none"],
    [
      "merge_method: ties\nmodels:\n  - model: a\n    parameters: { density: [0.5, 2] }",
      "merge.yml:4:34: models[0].parameters.density[1]: expected a number from 0.001 to 1, found 2",
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\nparameters:\n  weight:\n    - { filter: mlp, value: one }\n    - value: 1",
      'merge.yml:5:29: parameters.weight[0].value: expected a number, found "one"',
    ],
    [
      "merge_method: passthrough\nslices: [{ sources: [{ model: a, layer_range: [0, 1], parameters: { scale: on } }] }]",
      'merge.yml:2:76: slices[0].sources[0].parameters.scale: expected a number, found "on"',
    ],
    [
      "merge_method: ties\nmodels: [{ model: a }]\nparameters: { normalize: perhaps, int8_mask: perhaps }",
      'merge.yml:3:26: parameters.normalize: expected true or false, found "perhaps"',
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\nslices: [{ sources: [{ model: a, layer_range: [0, 1] }] }]",
      "merge.yml:1:1: expected exactly one of models, slices or modules, found models and slices",
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\ndtype: bf16",
      /^merge\.yml:3:8: dtype: expected float32, float16 or bfloat16, found "bf16"/,
    ],
    [
      "merge_method: linear\nmodels: [{ model: a }]\ntokenizer_source: base\ntokenizer: { source: union }",
      "merge.yml:1:1: expected tokenizer_source or tokenizer, found both",
    ],
    [
      "merge_method: linear\nmodels: [{ model: a+b+c }]",
      /^merge\.yml:2:19: models\[0\]\.model: expected a model, such as/,
    ],
  ])("is refused where it is wrong: %j", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test("given in code is refused in a sentence", () => {
    expect(() => checkMergekitRecipe({ merge_method: "linear", models: [] })).toThrow(
      "recipe: models: expected at least 1 item",
    );
  });
});
