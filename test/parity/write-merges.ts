/**
 * Writes tiny models, merges of them by evomerge and the same merges as configurations of mergekit into a folder:
 * `<case>/merged` and `<case>/mergekit.yml`; those alone whose names hold a given text. Prints the engine. Used by mergekit.py.
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { openDevice } from "../../src/device/open-device.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { mergekitConfig } from "../../src/export/mergekit-config.ts";
import { declarationOf, declarations, methodNames, type MethodName } from "../../src/merge/declarations.ts";
import { isRandom, type Options } from "../../src/merge/method.ts";
import { type Curve, isMerge, type MergeRecipe, type Recipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { openModel } from "../../src/model/open-model.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { tinyModel, writeTinyModel, type TinyModel } from "../tiny-model.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";

const LAYERS = 3;
const GROUPS = ["attention", "mlp", "norm", "embedding"];
const KINDS = [...new Set(allWeights(tinyModel()).map(({ tensor }) => tensor))];
const T5_GROUPS = tinyT5().groups.map(({ name }) => name);
const T5_KINDS = [...new Set(allWeights(tinyT5()).map(({ tensor }) => tensor))];
const EXPERTS = ["nature", "craft", "news"];
const tokenizer = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers", "byte-level");

/** Methods that are combinations of the parents by lengths and angles. */
const combinations = methodNames.filter((name) => declarations[name].needs?.gram);

/** Those that choose among elements by what they change. */
const selections = methodNames.filter((name) => {
  const { needs, parameters } = declarations[name];
  const isSum = needs === undefined && parameters.every((spec) => spec.name === "weight");
  return !needs?.gram && !isRandom(declarations[name]) && !isSum;
});

/** Options that no default has; experts point apart in some row of a few elements. */
const settings: readonly (readonly [label: string, MethodName, Options])[] = [
  ["by rows", "nuslerp", { nuslerp_flatten: false }],
  ["by columns", "task_nuslerp", { nuslerp_flatten: false, nuslerp_row_wise: true }],
  ["by rows", "model_stock", { filter_wise: true, extrapolate: true }],
  ["rescaled", "ties", { rescale: true }],
  ["rescaled", "breadcrumbs", { rescale: true }],
  ["rescaled", "breadcrumbs_ties", { rescale: true }],
];

/** Of parameters that are no weights; outliers of as few elements as a norm has are one at least, of which mergekit would keep nothing else. */
const drawn: Readonly<Record<string, readonly [low: number, high: number]>> = {
  density: [0.1, 0.9],
  gamma: [0.07, 0.1],
  lambda: [0.5, 1.5],
  select_topk: [0.1, 1],
  t: [0.01, 0.1],
};

const gemma = {
  model_type: "gemma",
  architectures: ["GemmaForCausalLM"],
  hidden_act: "gelu_pytorch_tanh",
  head_dim: 16,
};

interface Case {
  /** The first of EXPERTS are merged, as many as the method takes. */
  readonly recipe: Recipe;
  readonly model: TinyModel;
}

const cases: Readonly<Record<string, Case>> = {
  "task_arithmetic, bf16": { recipe: randomRecipe("task_arithmetic"), model: { dtype: "bf16" } },
  "task_arithmetic, bf16, tied head": { recipe: randomRecipe("task_arithmetic"), model: { dtype: "bf16", tied: true } },
  "task_arithmetic by tensor, bf16": { recipe: randomRecipe("task_arithmetic", KINDS), model: { dtype: "bf16" } },
  "task_arithmetic by tensor, bf16, tied head": {
    recipe: randomRecipe("task_arithmetic", KINDS),
    model: { dtype: "bf16", tied: true },
  },
  "task_arithmetic, f32": { recipe: randomRecipe("task_arithmetic"), model: { dtype: "f32" } },
  "linear, bf16": { recipe: randomRecipe("linear"), model: { dtype: "bf16" } },
  "linear, f16": { recipe: randomRecipe("linear"), model: { dtype: "f16" } },
  "linear, f32": { recipe: randomRecipe("linear"), model: { dtype: "f32" } },
  "T5, task_arithmetic, bf16": {
    recipe: randomRecipe("task_arithmetic", T5_GROUPS),
    model: { dtype: "bf16", config: tinyT5Config() },
  },
  "T5, linear by tensor, f32": {
    recipe: randomRecipe("linear", T5_KINDS),
    model: { dtype: "f32", config: tinyT5Config() },
  },
  "T5, one expert as it is, bf16": {
    recipe: { method: "passthrough", model: "craft" },
    model: { dtype: "bf16", config: tinyT5Config() },
  },
  "stack, bf16": {
    recipe: {
      method: "stack",
      layers: [
        { model: "base", layer: 0, scale: 1 },
        { model: "nature", layer: 2, scale: Math.fround(0.7) },
        { model: "craft", layer: 2, scale: Math.fround(1.3) },
        { model: "craft", layer: 0, scale: 0 },
      ],
      rest: "base",
    },
    model: { dtype: "bf16", tied: true },
  },
  "stack, layers and the rest of others, f32": {
    recipe: {
      method: "stack",
      layers: [
        { model: "nature", layer: 1, scale: 0.25 },
        { model: "news", layer: 1, scale: -1 },
      ],
      rest: "craft",
    },
    model: { dtype: "f32" },
  },
  "one expert as it is, bf16": { recipe: { method: "passthrough", model: "craft" }, model: { dtype: "bf16" } },
  ...Object.fromEntries(
    [...combinations, ...selections].flatMap((method): [string, Case][] => [
      [`${method} by tensor, f32`, { recipe: randomRecipe(method, KINDS), model: { dtype: "f32", tied: true } }],
      [
        `T5, ${method}, f32`,
        { recipe: randomRecipe(method, T5_GROUPS), model: { dtype: "f32", config: tinyT5Config() } },
      ],
      [`Gemma, ${method}, f32`, { recipe: randomRecipe(method), model: { dtype: "f32", tied: true, config: gemma } }],
    ]),
  ),
  ...Object.fromEntries(
    settings.flatMap(([label, method, options]): [string, Case][] => [
      [`${method} ${label}, f32`, { recipe: { ...randomRecipe(method, KINDS), options }, model: { dtype: "f32" } }],
      [
        `T5, ${method} ${label}, f32`,
        {
          recipe: { ...randomRecipe(method, T5_GROUPS), options },
          model: { dtype: "f32", config: tinyT5Config() },
        },
      ],
    ]),
  ),
};

function expertsOf(recipe: Recipe): string[] {
  return EXPERTS.slice(0, isMerge(recipe) ? declarationOf(recipe.method).experts?.most : undefined);
}

/** A different coefficient for each expert, group or kind, layer and the weights outside the layers; one is written as 1e-7. */
function randomRecipe(method: MethodName, names = GROUPS): MergeRecipe {
  const random = RandomStream.of(3, method);
  // Shares that nearly sum to 0 would multiply what mergekit's angles lack in digits.
  const least = declarations[method].needs?.gram ? 0.1 : -0.2;
  const value = (): number => random.uniform() * 1.7 + least;
  const parameters = declarations[method].parameters.map((parameter) => {
    const range = declarations[method].needs?.gram ? undefined : drawn[parameter.name];
    const [low, high] = range ?? [0, 0];
    const inThousandths = (): number => Math.round(1000 * (low + (high - low) * random.uniform())) / 1000;
    const draw = range ? inThousandths : value;
    const byGroup = Object.fromEntries(names.map((name) => [name, curvesBy(draw)]));
    const [, second = ""] = names;
    if (range) return [parameter.name, byGroup];
    byGroup[second] = { ...byGroup[second], news: { layers: [1e-7, 0, 1], rest: 0 } };
    return [parameter.name, byGroup];
  });
  return { method, parameters: Object.fromEntries(parameters) as MergeRecipe["parameters"] };
}

function curvesBy(draw: () => number): Record<string, Curve> {
  const curve = (): Curve => ({ layers: Array.from({ length: LAYERS }, draw), rest: draw() });
  return Object.fromEntries(EXPERTS.map((name) => [name, curve()]));
}

/** What all experts have in common, without which their differences from the base would point apart here and there. */
function drift(name: string, values: Float32Array): void {
  const stream = RandomStream.of(4, name);
  for (const [i, value] of values.entries()) values[i] = value + 0.05 * stream.normal();
}

async function writeCase(folder: string, name: string, { recipe, model: shape }: Case): Promise<string> {
  const own = join(folder, name);
  const shared: TinyModel = { layers: LAYERS, hidden: 64, tokenizer, ...shape };
  const base = await writeTinyModel(join(own, "base"), shared);
  const experts: { name: string; path: string }[] = [];
  for (const [i, name] of expertsOf(recipe).entries()) {
    const perturbed = { seed: 10 + i, by: 0.05 };
    experts.push({ name, path: await writeTinyModel(join(own, name), { ...shared, perturbed, edit: drift }) });
  }
  const checkpoints = new Map<string, Checkpoint>();
  for (const { name, path } of [{ name: "base", path: base }, ...experts]) {
    checkpoints.set(name, await Checkpoint.open(path));
  }
  const { device } = await openDevice("auto");
  await using opened = device;
  const model = openModel(checkpoints.get("base")!, "f32");
  await mkdir(join(own, "merged"));
  await mergeWeights(
    { device: opened, model, checkpoints, base: "base", experts: expertsOf(recipe) },
    recipe,
    join(own, "merged"),
  );
  const baseDtype = shape.dtype ?? "bf16";
  const config = mergekitConfig({ experiment: { name: "parity", base, experts }, recipe, model, baseDtype });
  await writeFile(join(own, "mergekit.yml"), config);
  for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  return device.name;
}

const [, , folder = ".", wanted = ""] = process.argv;
const engines = new Set<string>();
for (const [name, own] of Object.entries(cases))
  if (name.includes(wanted)) engines.add(await writeCase(folder, name, own));
process.stdout.write([...engines].join("\n"));
