import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { mergekitConfig } from "../../src/export/mergekit-config.ts";
import { evomergeVersion } from "../../src/files/own-package.ts";
import { stepAt, type MergeRecipe, type Step } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { methodsByColumn } from "../merge/method-kinds.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5 } from "../tiny-t5.ts";
import { recipeWithColumns } from "./recipe-with-columns.ts";

const experiment = {
  name: "demo",
  base: "/models/base",
  experts: [
    { name: "nature", path: "org/nature@0123456789abcdef0123456789abcdef01234567" },
    { name: "craft", path: "/models/craft" },
  ],
};
const names = experiment.experts.map(({ name }) => name);
const groups = ["attention", "mlp", "norm", "embedding"];

interface Source {
  readonly model: string;
  readonly layer_range: readonly [number, number];
  readonly parameters?: { readonly weight: readonly { readonly filter: string; readonly value: number }[] };
}

interface Configuration {
  readonly merge_method: string;
  readonly base_model: string;
  readonly parameters: object;
  readonly dtype: string;
  readonly out_dtype: string;
  readonly slices: readonly { readonly sources: readonly Source[] }[];
}

/** A recipe whose coefficients all differ. */
/** The parameters of the whole merge. */
function toldOf(recipe: MergeRecipe): unknown {
  const text = mergekitConfig({ experiment, recipe, model: modelOf(1), baseDtype: "bf16" });
  return (parse(text) as { readonly parameters?: unknown }).parameters;
}

function recipeOf(method: MergeRecipe["method"], layers: number, scale = 0.01, places = groups): MergeRecipe {
  let next = 1;
  const curve = (): { layers: number[]; rest: number } => ({
    layers: Array.from({ length: layers }, () => scale * next++),
    rest: scale * next++,
  });
  const curves = (): object => Object.fromEntries(names.map((name) => [name, curve()]));
  const weight = Object.fromEntries(places.map((place) => [place, curves()])) as MergeRecipe["parameters"][string];
  return { method, parameters: { weight } };
}

/** The settings that mergekit looks up for a weight: those of the slice of its layer, or of the first or last slice. */
function lookUp({ slices }: Configuration, name: string): number[] {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  const slice = layer === undefined ? slices.at(name.includes("embed") ? 0 : -1)! : slices[Number(layer)]!;
  return slice.sources.flatMap(({ parameters }) =>
    parameters ? [parameters.weight.find(({ filter }) => name.includes(filter))!.value] : [],
  );
}

/** The slices of a module of a T5, in which each layer has one. */
interface Modules {
  readonly modules: Readonly<Record<string, Configuration>>;
}

/** As mergekit 0.1.5 looks a T5's weight up: the module of its name, and what it has before, in and behind the layers. */
function lookUpT5({ modules }: Modules, name: string): number[] {
  const module = /^(encoder|decoder)\./.exec(name)?.[1] ?? "shared";
  const layer = /\.block\.(\d+)\./.exec(name)?.[1];
  const isBefore = name === "shared.weight";
  const slice = modules[module]!.slices.at(layer === undefined ? (isBefore ? 0 : -1) : Number(layer))!;
  return slice.sources.flatMap(({ parameters }) =>
    parameters ? [parameters.weight.find(({ filter }) => name.includes(filter))!.value] : [],
  );
}

function modelOf(layers: number): Model {
  return tinyModel({ layers });
}

describe("mergekitConfig", () => {
  test("has a slice for each layer of a stack, and slices of no layers around it where these are not the rest's", () => {
    const recipe = {
      method: "stack",
      layers: [
        { model: "craft", layer: 2, scale: 1 },
        { model: "base", layer: 0, scale: 0.75 },
      ],
      rest: "base",
    } as const;
    const { merge_method, slices } = parse(
      mergekitConfig({ experiment, recipe, model: modelOf(3), baseDtype: "bf16" }),
    ) as Configuration;
    expect(merge_method).toBe("passthrough");
    const scale = ["o_proj", "down_proj"].map((filter) => ({ filter, value: 0.75 }));
    expect(slices).toEqual([
      { sources: [{ model: "/models/base", layer_range: [0, 0] }] },
      { sources: [{ model: "/models/craft", layer_range: [2, 3] }] },
      { sources: [{ model: "/models/base", layer_range: [0, 1], parameters: { scale } }] },
    ]);
  });

  test.each([
    ["by group", false],
    ["by tensor", true],
  ] as const)("divides a T5 into the modules of mergekit: %s", (_, byTensor) => {
    const model = tinyT5();
    const places = [...new Set(allWeights(model).map(({ tensor, group }) => (byTensor ? tensor : group)))];
    const recipe = recipeOf("task_arithmetic", 3, 0.01, places);
    const text = mergekitConfig({ experiment, recipe, model, baseDtype: "bf16" });
    const configuration = parse(text) as Modules & Configuration;
    expect(configuration.slices).toBeUndefined();
    const layers = Object.entries(configuration.modules).map(([name, { slices }]) => [name, slices.length]);
    expect(layers).toEqual([
      ["encoder", 2],
      ["decoder", 3],
      ["shared", 1],
    ]);
    for (const weight of allWeights(model)) {
      const step = stepAt(recipe, weight, names);
      const values = "values" in step ? step.values["weight"] : [];
      expect([weight.name, lookUpT5(configuration, weight.name)]).toEqual([weight.name, values]);
    }
    const embedded = ["encoder", "decoder"].map((stack) => lookUpT5(configuration, `${stack}.block.0.embed_tokens`));
    expect(new Set(embedded.map(String))).toEqual(new Set([String(lookUpT5(configuration, "shared.weight"))]));
  });

  test.each(methodsByColumn)("gives every weight of a %s merge the recipe's coefficients", (method) => {
    for (const layers of [1, 2, 5]) {
      const recipe = recipeOf(method, layers);
      const model = modelOf(layers);
      const configuration = parse(mergekitConfig({ experiment, recipe, model, baseDtype: "bf16" })) as Configuration;
      const weights = allWeights(model);
      expect(weights).toHaveLength(9 * layers + 3);
      for (const weight of weights) {
        const step = stepAt(recipe, weight, names);
        expect([weight.name, lookUp(configuration, weight.name)]).toEqual([
          weight.name,
          step.method === "passthrough" ? [] : step.values["weight"],
        ]);
      }
      expect(configuration.slices.map(({ sources }) => sources.map(({ layer_range }) => layer_range))).toEqual(
        configuration.slices.map(({ sources }, layer) => sources.map(() => [layer, layer + 1])),
      );
    }
  });

  test.each([
    {},
    { tied: true },
    { config: { attention_bias: true, mlp_bias: true } },
    { config: { model_type: "qwen2" } },
    { config: { model_type: "phi3" } },
    { config: { model_type: "gemma2" } },
  ])("divides what a recipe tells apart into kinds of tensors: %j", (options) => {
    const model = tinyModel({ layers: 3, ...options });
    const weights = allWeights(model);
    const kinds = [...new Set(weights.map(({ tensor }) => tensor))];
    for (const places of [kinds, [...groups, "q_proj", "input_layernorm"]]) {
      const recipe = recipeOf("task_arithmetic", 3, 0.01, places);
      const configuration = parse(mergekitConfig({ experiment, recipe, model, baseDtype: "bf16" })) as Configuration;
      for (const weight of weights) {
        const step = stepAt(recipe, weight, names) as Extract<Step, { values: unknown }>;
        expect([weight.name, lookUp(configuration, weight.name)]).toEqual([weight.name, step.values["weight"]]);
      }
      // mergekit asks for the settings of a head that is tied, too.
      expect(lookUp(configuration, "lm_head.weight")).toHaveLength(2);
    }
  });

  test("takes experts as differences from the base in a merge of task vectors only", () => {
    const models = (method: MergeRecipe["method"]): unknown => {
      const recipe = recipeOf(method, 1);
      const configuration = parse(
        mergekitConfig({ experiment, recipe, model: modelOf(1), baseDtype: "f32" }),
      ) as Configuration;
      expect(configuration).toMatchObject({ merge_method: method, base_model: "/models/base", out_dtype: "float32" });
      return [configuration.slices[0]?.sources.map(({ model }) => model), configuration.parameters];
    };
    const experts = experiment.experts.map(({ path }) => path);
    expect(models("linear")).toEqual([experts, { normalize: false }]);
    expect(models("task_arithmetic")).toEqual([["/models/base", ...experts], { normalize: false, lambda: 1 }]);
  });

  test("gives what is one value for all experts to the slice", () => {
    const own = { ...experiment, experts: experiment.experts.slice(0, 1) };
    const recipe: MergeRecipe = { method: "slerp", parameters: { t: recipeOf("linear", 2).parameters["weight"]! } };
    const text = mergekitConfig({ experiment: own, recipe, model: modelOf(2), baseDtype: "bf16" });
    const { slices, ...rest } = parse(text) as {
      readonly slices: readonly {
        readonly parameters: { readonly t: readonly { readonly value: number }[] };
        readonly sources: unknown;
      }[];
    };
    expect(rest).toMatchObject({ merge_method: "slerp", base_model: "/models/base" });
    expect(rest).not.toHaveProperty("parameters");
    for (const [layer, { parameters, sources }] of slices.entries()) {
      expect(sources).toEqual(
        ["/models/base", own.experts[0]!.path].map((model) => ({ model, layer_range: [layer, layer + 1] })),
      );
      expect(parameters.t.map(({ value }) => value)).toContain(
        recipe.parameters["t"]!["attention"]![names[0]!]!.layers[layer],
      );
    }
  });

  test.each([
    ["nuslerp", { merge_method: "nuslerp" }, false],
    ["task_nuslerp", { merge_method: "nuslerp", base_model: "/models/base" }, true],
    ["multislerp", { merge_method: "multislerp" }, false],
    ["task_multislerp", { merge_method: "multislerp", base_model: "/models/base" }, true],
    ["karcher", { merge_method: "karcher", base_model: "/models/base" }, false],
    ["model_stock", { merge_method: "model_stock", base_model: "/models/base" }, true],
  ] as const)("tells mergekit of the base where it is merged, or changes nothing: %s", (method, head, isMerged) => {
    const recipe = method === "karcher" || method === "model_stock" ? { method, parameters: {} } : recipeOf(method, 1);
    const found = parse(mergekitConfig({ experiment, recipe, model: modelOf(1), baseDtype: "bf16" })) as Configuration;
    expect(found).toMatchObject(head);
    expect("base_model" in found).toBe("base_model" in head);
    expect(found.slices[0]!.sources).toHaveLength(experiment.experts.length + (isMerged ? 1 : 0));
  });

  test("tells mergekit of a method's options, but of none that it always has", () => {
    expect(toldOf({ method: "karcher", parameters: {}, options: { max_iter: 7 } })).toEqual({
      max_iter: 7,
      tol: 1e-5,
    });
    const stock = { method: "model_stock", parameters: {} } as const;
    expect(toldOf({ ...stock, options: { extrapolate: true } })).toEqual({ filter_wise: false });
    expect(toldOf({ ...stock, options: { filter_wise: true } })).toEqual({ filter_wise: true });
  });

  test("computes in f32 and saves in the dtype of the base", () => {
    const recipe = { method: "passthrough", model: "base" } as const;
    for (const [baseDtype, out_dtype] of [
      ["bf16", "bfloat16"],
      ["f16", "float16"],
      ["f32", "float32"],
    ] as const) {
      const text = mergekitConfig({ experiment, recipe, model: modelOf(2), baseDtype });
      expect(parse(text)).toMatchObject({ dtype: "float32", out_dtype });
    }
  });

  test.each([
    ["base", "/models/base"],
    ["craft", "/models/craft"],
  ])("copies %s as it is", (model, path) => {
    const recipe = { method: "passthrough", model } as const;
    expect(parse(mergekitConfig({ experiment, recipe, model: modelOf(2), baseDtype: "bf16" }))).toMatchObject({
      merge_method: "passthrough",
      slices: [{ sources: [{ model: path, layer_range: [0, 2] }] }],
    });
  });

  test("writes a folder whose path mergekit would divide as a mapping", () => {
    const recipe = { method: "passthrough", model: "base" } as const;
    const merge = {
      experiment: { ...experiment, base: "/me@home/a+b" },
      recipe,
      model: modelOf(2),
      baseDtype: "bf16",
    } as const;
    expect(parse(mergekitConfig(merge))).toMatchObject({
      slices: [{ sources: [{ model: { model: { path: "/me@home/a+b" } } }] }],
    });
  });

  test.each(["\u0085", "\u2028", "\u2029", "\n", "\r"])("takes no line of a name as its own, as after %j", (end) => {
    const hostile = { ...experiment, name: `demo${end}merge_method: ties` };
    const recipe = recipeOf("linear", 1);
    const text = mergekitConfig({ experiment: hostile, recipe, model: modelOf(1), baseDtype: "bf16" });
    // The line ends of YAML 1.1, which mergekit's parser goes by.
    const lines = text.split(/[\n\r\u0085\u2028\u2029]/).filter((line) => !line.startsWith("#"));
    expect(lines.filter((line) => line.startsWith("merge_method"))).toEqual(["merge_method: linear"]);
  });

  test("names evomerge and its version", () => {
    const text = mergekitConfig({ experiment, recipe: recipeOf("linear", 1), model: modelOf(1), baseDtype: "bf16" });
    expect(text).toMatch(/^# The merge of demo by evomerge /);
    expect(text.split("\n", 1)[0]).toContain(evomergeVersion());
  });

  test("writes every coefficient as a number of YAML 1.1, exactly", () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (scale) => {
        const recipe = recipeOf("linear", 1, scale);
        const text = mergekitConfig({ experiment, recipe, model: modelOf(1), baseDtype: "bf16" });
        const configuration = parse(text) as Configuration;
        const found = lookUp(configuration, "lm_head.weight");
        expect(found.map((value) => value + 0)).toEqual(
          names.map((name) => recipe.parameters["weight"]!["embedding"]![name]!.rest + 0),
        );
        for (const [, value] of text.matchAll(/value: (.*) \}/g)) {
          expect(value).toMatch(/^-?\d+(\.\d+(e[-+]\d+)?)?$/);
        }
      }),
    );
  });

  test("does not leave out coefficients of columns in silence", () => {
    const model = modelOf(2);
    const recipe = recipeWithColumns("linear", names, model);
    expect(() => mergekitConfig({ experiment, recipe, model, baseDtype: "bf16" })).toThrow(
      "mergekit: no coefficients by column",
    );
  });
});
