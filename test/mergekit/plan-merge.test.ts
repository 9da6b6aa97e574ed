import { describe, expect, test } from "vitest";
import type { ModelHeader } from "../../src/mergekit/model-places.ts";
import { planMerge, type PlanOptions } from "../../src/mergekit/plan-merge.ts";
import { checkMergekitRecipe, type MergekitRecipeInput } from "../../src/mergekit/recipe-file.ts";
import type { PlannedWeight } from "../../src/merge-files/plan.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";
import { headerOf, llamas, planned } from "./headers.ts";

const models = llamas(["a", "b", "c"], { layers: 3 });

function plan(
  recipe: MergekitRecipeInput,
  headers: ReadonlyMap<string, ModelHeader> = models,
  options: PlanOptions = {},
): readonly PlannedWeight[] {
  return planMerge(checkMergekitRecipe(recipe), headers, options).weights;
}

function valuesAt(weights: readonly PlannedWeight[], name: string, parameter = "weight"): readonly unknown[] {
  const { step } = planned(weights, name);
  return "values" in step ? (step.values[parameter] ?? []) : [];
}

function optionsOf(recipe: MergekitRecipeInput, options: PlanOptions = {}): unknown {
  const { step } = plan(recipe, undefined, options)[0]!;
  return "options" in step ? step.options : undefined;
}

const query = (layer: number): string => `model.layers.${layer}.self_attn.q_proj.weight`;
const pair = (x: number, y: number): MergekitRecipeInput["models"] => [
  { model: "a", parameters: { weight: x } },
  { model: "b", parameters: { weight: y } },
];

const sliceOfTwo = (from: number, to: number, own: object): object => ({
  sources: [
    { model: "c", layer_range: [from, to] },
    { model: "a", layer_range: [from, to], ...own },
  ],
  parameters: { weight: [{ filter: "mlp", value: 2 }] },
});

const sliceOf = (model: string, from: number, to: number, parameters?: object): object => ({
  sources: [{ model, layer_range: [from, to], ...(parameters && { parameters }) }],
});

const moduleOf = (layers: number, weight: number): object => ({
  slices: [{ sources: [{ model: "a", layer_range: [0, layers], parameters: { weight } }] }],
});

describe("planMerge", () => {
  test("plans every weight once, in the dtype of the base unless the file says another", () => {
    const weights = plan({ merge_method: "linear", models: pair(1, 3), dtype: "float32", out_dtype: "float16" });
    expect(weights.map(({ spec }) => spec.name).toSorted()).toEqual(
      allWeights(tinyModel({ layers: 3 }))
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(new Set(weights.map(({ spec }) => spec.dtype))).toEqual(new Set(["f16"]));
    expect(plan({ merge_method: "linear", models: pair(1, 3) })[0]?.spec.dtype).toBe("bf16");
  });

  test("normalizes the weights of a linear merge unless it is told not to", () => {
    const recipe = { merge_method: "linear", models: pair(1, 3) };
    expect(valuesAt(plan(recipe), query(0))).toEqual([0.25, 0.75]);
    expect(valuesAt(plan({ ...recipe, parameters: { normalize: false } }), query(0))).toEqual([1, 3]);
    expect(valuesAt(plan({ ...recipe, parameters: { normalize: 1 } }), query(0))).toEqual([0.25, 0.75]);
    expect(valuesAt(plan({ ...recipe, parameters: { normalize: "no" } }), query(0))).toEqual([1, 3]);
  });

  test("takes a base among the models of a linear merge for one more of them", () => {
    const weights = plan({ merge_method: "linear", base_model: "a", models: pair(1, 3) });
    expect(planned(weights, query(0)).base).toBeUndefined();
    expect(valuesAt(weights, query(0))).toEqual([0.25, 0.75]);
  });

  test("adds differences from a base that is not listed, times lambda", () => {
    const recipe = { merge_method: "task_arithmetic", base_model: "c", models: pair(1, 3), parameters: { lambda: 2 } };
    const { base, experts, step } = planned(plan(recipe), query(1));
    expect(base).toEqual({ model: "c", tensor: query(1) });
    expect(experts.map(({ model }) => model)).toEqual(["a", "b"]);
    expect(step).toEqual({ method: "task_arithmetic", values: { weight: [2, 6] } });
    const normalized = plan({ ...recipe, parameters: { normalize: true } });
    expect(valuesAt(normalized, query(1))).toEqual([0.25, 0.75]);
  });

  test("spreads a gradient over the layers; what stands behind takes its end, or as mergekit does its beginning", () => {
    const recipe: MergekitRecipeInput = {
      merge_method: "task_arithmetic",
      base_model: "c",
      models: [{ model: "a", parameters: { weight: [0, 1] } }],
    };
    const notices = new Set<string>();
    const names = ["model.embed_tokens.weight", query(0), query(1), query(2), "model.norm.weight", "lm_head.weight"];
    const valuesWith = (options: PlanOptions): unknown[] =>
      names.flatMap((name) => valuesAt(plan(recipe, models, options), name));
    expect(valuesWith({ onNotice: (text) => notices.add(text) })).toEqual([0, 0, 0.5, 1, 1, 1]);
    expect([...notices]).toEqual([
      "weight: what stands behind the layers, such as a final norm, takes the last value of a gradient; mergekit gives it the first (--mergekit-compat)",
    ]);
    expect(valuesWith({ isCompatible: true })).toEqual([0, 0, 0.5, 1, 0, 0]);
  });

  test("looks settings up in source, slice and file", () => {
    const weights = plan({
      merge_method: "task_arithmetic",
      base_model: "c",
      slices: [sliceOfTwo(0, 1, { parameters: { weight: [{ filter: "q_proj", value: 1 }] } }), sliceOfTwo(1, 3, {})],
      parameters: { weight: 3 },
    } as MergekitRecipeInput);
    const values = [query(0), "model.layers.0.mlp.up_proj.weight", "model.layers.0.input_layernorm.weight", query(1)];
    expect(values.flatMap((name) => valuesAt(weights, name))).toEqual([1, 2, 3, 3]);
  });

  test("stacks layers of several models, each with its scale, and leaves what they are tied to", () => {
    const scale = { scale: [{ filter: "down_proj", value: 0.5 }, { value: 1 }] };
    const recipe = { merge_method: "passthrough", slices: [sliceOf("a", 0, 2), sliceOf("b", 1, 3, scale)] };
    const { weights, layers } = planMerge(checkMergekitRecipe(recipe as MergekitRecipeInput), models);
    const steps = [query(3), "model.layers.3.mlp.down_proj.weight", "model.embed_tokens.weight", "lm_head.weight"];
    expect(steps.map((name) => [planned(weights, name).experts[0], planned(weights, name).step])).toEqual([
      [
        { model: "b", tensor: query(2) },
        { method: "passthrough", model: "b" },
      ],
      [
        { model: "b", tensor: "model.layers.2.mlp.down_proj.weight" },
        { method: "passthrough", model: "b", scale: 0.5 },
      ],
      [
        { model: "a", tensor: "model.embed_tokens.weight" },
        { method: "passthrough", model: "a" },
      ],
      [
        { model: "b", tensor: "lm_head.weight" },
        { method: "passthrough", model: "b" },
      ],
    ]);
    expect(layers.get("")?.map(({ model, layer }) => `${model}${layer}`)).toEqual(["a0", "a1", "b1", "b2"]);
  });

  test("divides a T5 into modules, with a slice for what they share", () => {
    const t5 = new Map(["a", "b"].map((name) => [name, headerOf(tinyT5(), tinyT5Config())]));
    const whole = plan({ merge_method: "linear", models: pair(1, 3) }, t5);
    expect(whole.map(({ spec }) => spec.name).toSorted()).toEqual(
      allWeights(tinyT5())
        .map(({ name }) => name)
        .toSorted(),
    );
    const modules = { encoder: moduleOf(2, 1), decoder: moduleOf(3, 2), shared: moduleOf(0, 3) };
    const recipe = { merge_method: "linear", modules, parameters: { normalize: false } } as MergekitRecipeInput;
    const names = [
      "encoder.block.1.layer.0.SelfAttention.q.weight",
      "decoder.final_layer_norm.weight",
      "shared.weight",
    ];
    expect(names.flatMap((name) => valuesAt(plan(recipe, t5), name))).toEqual([1, 2, 3]);
  });

  test("needs no architecture of siblings: layers are told by their names", () => {
    const shape = [2, 2];
    const tensors = ["tok.weight", "blocks.0.mix.weight", "blocks.1.mix.weight", "ln_f.weight"].map(
      (name) => [name, { dtype: "f32", shape }] as const,
    );
    const header: ModelHeader = { folder: "", config: { model_type: "stranger" }, tensors: new Map(tensors) };
    const strangers = new Map([
      ["a", header],
      ["b", header],
    ]);
    const weights = plan(
      { merge_method: "slerp", base_model: "a", models: [{ model: "b" }], parameters: { t: [0, 1] } },
      strangers,
    );
    expect(weights.map(({ spec }) => [spec.name, valuesAt(weights, spec.name, "t")[0]])).toEqual([
      ["tok.weight", 0],
      ["blocks.0.mix.weight", 0],
      ["blocks.1.mix.weight", 1],
      ["ln_f.weight", 1],
    ]);
  });

  test("tells once of each parameter that its method does not have", () => {
    const notices: string[] = [];
    const models = [
      { model: "a", parameters: { weight: 1, density: 0.5 } },
      { model: "b", parameters: { weight: 1, density: 0.7 } },
    ];
    const recipe = { merge_method: "linear", models, parameters: { int8_mask: true, normalize: true } };
    plan(recipe, undefined, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual(["density: linear has no such parameter; it is ignored, as in mergekit"]);
    notices.length = 0;
    plan({ ...recipe, merge_method: "ties", base_model: "c" }, undefined, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([]);
  });

  test("tells of weights that are zeros, and refuses a model of these", () => {
    const notices: string[] = [];
    const sum = { merge_method: "linear", models: [{ model: "a" }] };
    const weight = [{ filter: "o_proj", value: 0 }, { value: 1 }];
    plan({ ...sum, parameters: { normalize: false, weight } }, undefined, { onNotice: (text) => notices.push(text) });
    expect(notices).toEqual([
      "3 tensors of the merge, such as model.layers.0.self_attn.o_proj.weight, are zeros, as their weights are",
    ]);
    expect(() => plan({ ...sum, parameters: { normalize: false, weight: 0 } })).toThrow(
      "recipe: all weights are 0, which makes a model of zeros; give others",
    );
    const nothing = { merge_method: "passthrough", models: [{ model: "a", parameters: { scale: 0 } }] };
    expect(() => plan(nothing)).toThrow("all weights are 0");
    plan({ merge_method: "task_arithmetic", base_model: "c", models: pair(0, 0) });
  });

  test("takes the options of a method as the file has them, numbers in quotes too, and mergekit's own where it is asked to be as that", () => {
    const karcher = { merge_method: "karcher", models: pair(1, 1) };
    expect(optionsOf({ ...karcher, parameters: { max_iter: 1000, tol: "1e-9" } })).toEqual({
      max_iter: 1000,
      tol: 1e-9,
    });
    expect(optionsOf({ ...karcher, parameters: { max_iter: 10 } })).toBeUndefined();
    const unlike = { merge_method: "multislerp", models: pair(1, -1), parameters: { normalize_weights: false } };
    expect(optionsOf(unlike)).toEqual({ normalize_weights: false });
    const nuslerp = { merge_method: "nuslerp", models: pair(1, 3), parameters: { nuslerp_row_wise: true } };
    expect(optionsOf(nuslerp)).toEqual({ nuslerp_row_wise: true });
    expect(optionsOf({ ...nuslerp, parameters: { nuslerp_flatten: 0 } })).toEqual({ nuslerp_flatten: false });
    const stock = { merge_method: "model_stock", base_model: "c", models: pair(1, 1) };
    expect(optionsOf(stock)).toBeUndefined();
    expect(optionsOf(stock, { isCompatible: true })).toEqual({ extrapolate: true });
    expect(optionsOf({ ...stock, parameters: { filter_wise: true } })).toEqual({ filter_wise: true });
    expect(optionsOf({ ...stock, merge_method: "ties", parameters: { rescale: true } })).toEqual({ rescale: true });
  });

  test.each<[MergekitRecipeInput, string | RegExp]>([
    [{ merge_method: "linear", models: pair(1, -1) }, /^recipe: model\.embed_tokens\.weight: the weights sum to 0/],
    [{ merge_method: "linear", models: [{ model: "a" }] }, "recipe: model.embed_tokens.weight: no weight for a;"],
    [
      { merge_method: "slerp", base_model: "c", models: pair(1, 1), parameters: { t: 0.5 } },
      "slerp merges exactly 1 model beside the base, found 2",
    ],
    [{ merge_method: "task_arithmetic", models: pair(1, 1) }, "task_arithmetic needs a base; name it"],
    [{ merge_method: "passthrough", models: pair(1, 1) }, "passthrough copies one model, found 2"],
    [
      { merge_method: "karcher", models: pair(1, 1), parameters: { max_iter: 2.5 } },
      "recipe: parameters.max_iter: expected a whole number from 0 to 1000000, found 2.5",
    ],
    [
      { merge_method: "karcher", models: pair(1, 1), parameters: { tol: "small" } },
      'tol: expected a number from 0 to 1, found "small"',
    ],
    [
      { merge_method: "multislerp", models: pair(1, -1) },
      "the weights sum to 0, by which none can be normalized, as by all below 1e-8; give others, or normalize_weights: false",
    ],
    [
      { merge_method: "linear", models: pair(1e-9, 1e-9) },
      "the weights sum to 2e-9, by which none can be normalized, as by all below 1e-8; give others, or normalize: false",
    ],
    [
      { merge_method: "linear", models: pair(1e308, 1e308) },
      "weight: expected a number that f32 can hold, found 1e+308",
    ],
    [
      {
        merge_method: "linear",
        slices: [{ sources: [{ model: "a", layer_range: [2, 4] }] }],
        parameters: { weight: 1 },
      },
      "recipe: layer_range: expected the first layer and the one behind the last, from [0, 3] of a, found [2, 4]",
    ],
    [
      {
        merge_method: "linear",
        slices: [
          {
            sources: [
              { model: "a", layer_range: [0, 1] },
              { model: "b", layer_range: [0, 2] },
            ],
          },
        ],
        parameters: { weight: 1 },
      },
      "recipe: the sources of one slice must have as many layers each; a has 1, and b 2",
    ],
    [
      { merge_method: "linear", models: [{ model: "a", parameters: { weight: "much" } }] },
      'weight: expected a number, found "much"',
    ],
  ])("refuses what is no merge: %j", (recipe, message) => {
    expect(() => plan(recipe)).toThrow(message);
  });

  test("refuses models of other shapes and families", () => {
    const wide = llamas(["b"], { layers: 3, vocabulary: 48 });
    const recipe = { merge_method: "linear", models: pair(1, 1) };
    expect(() => plan(recipe, new Map([...llamas(["a"], { layers: 3 }), ...wide]))).toThrow(
      "recipe: tensor model.embed_tokens.weight of b has shape [48, 16], and that of a [40, 16]; merge models of equal shapes",
    );
    const t5 = headerOf(tinyT5(), tinyT5Config());
    expect(() => plan(recipe, new Map([...llamas(["a"]), ["b", t5]]))).toThrow(
      'recipe: a is a "llama", and b a "t5" by their config.json; merge models of one architecture',
    );
  });
});
