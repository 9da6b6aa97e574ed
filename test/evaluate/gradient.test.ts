import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openGgml } from "../../src/device/ggml/engine.ts";
import type { LossRow, WeightDerivatives } from "../../src/evaluate/differentiate.ts";
import type { LogLikelihoods } from "../../src/evaluate/scored-parts.ts";
import { declarationOf, methodName } from "../../src/merge/declarations.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import { rowLoss, type RowLoss } from "../../src/tasks/row-loss.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { pack, unpack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNoiseFamily } from "./noise-family.ts";
import { experts, moved, recipeOf, slopeAlong } from "./tiny-family.ts";
import { recipeWithColumns } from "../export/recipe-with-columns.ts";
import { smooth } from "../merge/formula-methods.ts";
import { testedEngines } from "../device/tested-engines.ts";

interface FixtureRow {
  readonly kind: "choice" | "text";
  readonly label: number;
  readonly context: readonly number[];
  readonly continuations: readonly (readonly number[])[];
}

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly dtype: Dtype;
  readonly recipe: Recipe;
  readonly logLikelihoods: readonly (readonly number[])[];
  /** By weight, then by expert: of the whole, or of each input column. */
  readonly derivatives: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const fixture = join(import.meta.dirname, "..", "fixtures", "evaluate", "gradients.json");
const { rows, cases } = JSON.parse(readFileSync(fixture, "utf8")) as {
  readonly rows: readonly FixtureRow[];
  readonly cases: readonly Case[];
};

/** Small enough for curvature, large enough for the digits of f32. */
const STEP = 2.5e-3;

/** Of texts that have two bytes for each token. */
function lossOf({ kind, label, continuations }: FixtureRow): RowLoss {
  return rowLoss({ kind, label, continuations: continuations.map(({ length }) => "xy".repeat(length)) });
}

function lossRow(row: FixtureRow, { encoding }: Pick<Model, "encoding"> = {}): LossRow {
  const { derivative } = lossOf(row);
  const context = Int32Array.from(row.context);
  const continuations = row.continuations.map((ids) => Int32Array.from(ids));
  const prompt = encoding
    ? { source: context, context: Int32Array.of(encoding.startToken), continuations }
    : { context, continuations };
  return { prompts: [prompt], derivative: ([values]) => [derivative([...values!])] };
}

/** The largest error, as a part of what is expected and of a hundredth of the largest of that. */
function errorOf(found: WeightDerivatives, expected: Case["derivatives"]): number {
  expect(Object.keys(found).toSorted()).toEqual(Object.keys(expected).toSorted());
  const largest = Math.max(...Object.values(expected).flat(2).map(Math.abs));
  const errors = Object.entries(expected).flatMap(([name, byExpert]) => {
    const own = byExpert.flat();
    const values = found[name]!["weight"]!.flatMap((one) => [...one]);
    expect(values).toHaveLength(own.length);
    return own.map((value, i) => Math.abs(values[i]! - value) / Math.max(Math.abs(value), largest / 100));
  });
  return Math.max(...errors);
}

describe.each(testedEngines)("derivatives by the coefficients of whole models, on %s", (_, open) => {
  const named = cases.map((one) => {
    const of = "columns" in one.recipe ? `${methodName(one.recipe.method)} by columns` : one.recipe.method;
    return { ...one, what: JSON.stringify(one.config), of };
  });
  test.each(named)(
    "are those of PyTorch: $dtype, $of, $what",
    async ({ config, dtype, recipe, logLikelihoods, derivatives }) => {
      await using device = await open();
      await using family = await openNoiseFamily(await temporaryFolder(), device, { config, dtype });
      const found = await family.scorer.gradient(
        [recipe],
        rows.map((row) => lossRow(row, family.model)),
      );
      for (const [i, values] of logLikelihoods.entries())
        for (const [j, value] of values.entries()) expect(found.logLikelihoods[0]![i]![j]!).toBeCloseTo(value, 4);
      expect(errorOf(found.derivatives[0]!, derivatives)).toBeLessThan(1e-3);
    },
  );
});

test("derivatives by the coefficients are what small steps say", async () => {
  const shape = fc.record({
    seed: fc.integer({ min: 0, max: 1e6 }),
    method: fc.constantFrom(
      ...(["task_arithmetic", "linear", "nuslerp", "task_nuslerp", "multislerp", "task_multislerp"] as const),
      smooth,
    ),
    isFlat: fc.boolean(),
    isByColumn: fc.boolean(),
    config: fc.record({
      num_hidden_layers: fc.integer({ min: 1, max: 3 }),
      num_key_value_heads: fc.constantFrom(1, 2, 4),
      tie_word_embeddings: fc.boolean(),
      vocab_size: fc.constantFrom(40, 200),
    }),
  });
  await using device = await openGgml({ backend: "cpu" });
  await fc.assert(
    fc.asyncProperty(shape, async ({ seed, method, isFlat, isByColumn, config }) => {
      await using family = await openNoiseFamily(await temporaryFolder(), device, { config, dtype: "f32" });
      const stream = RandomStream.of(seed, "coefficients");
      // Where weights are shares, their sum is far from 0.
      const [recipe, direction] = [declarationOf(method).needs?.gram ? 1 : 0.4, 0].map((mean) =>
        recipeOf(config.num_hidden_layers, () => mean + 0.2 * stream.normal(), method),
      );
      if (methodName(method).endsWith("nuslerp"))
        Object.assign(recipe!, { options: { nuslerp_flatten: isFlat, nuslerp_row_wise: isByColumn } });
      const lossRows = rows.map((row) => lossRow(row));
      const [derivatives] = (await family.scorer.gradient([recipe!], lossRows)).derivatives;
      const ends = [1, -1, 2, -2].map((steps) => moved(recipe!, direction!, steps * STEP));
      const prompts = lossRows.flatMap((row) => row.prompts);
      const expected = slopeBetween((await family.scorer.score(ends, prompts)).logLikelihoods);
      const found = slopeAlong(family.model, derivatives!, direction!);
      const size = Math.hypot(
        ...Object.values(derivatives!).flatMap(({ weight }) => weight!.flatMap((own) => [...own])),
      );
      expect(Math.abs(found - expected) / size).toBeLessThan(1e-2);
    }),
    { numRuns: 12 },
  );
});

test("derivatives by coefficients of columns are what small steps say, through a formula of numbers and columns", async () => {
  await using device = await openGgml({ backend: "cpu" });
  await using family = await openNoiseFamily(await temporaryFolder(), device, { config: {}, dtype: "f32" });
  const recipe = recipeWithColumns(smooth, experts, family.model);
  const { name, shape } = allWeights(family.model).find(({ tensor }) => tensor === "up_proj")!;
  const stream = RandomStream.of(5, "direction");
  const direction = experts.map(() => Array.from({ length: shape.at(-1)! }, () => stream.normal()));
  const ends = [1, -1, 2, -2].map((steps) => {
    const changed = experts.map((expert, i) => {
      const values = unpack(recipe.columns["weight"]![name]![expert]!)!;
      return [expert, pack(values.map((value, k) => value + steps * STEP * direction[i]![k]!))];
    });
    const weight = { ...recipe.columns["weight"], [name]: Object.fromEntries(changed) as Record<string, string> };
    return { ...recipe, columns: { weight } };
  });
  const lossRows = rows.map((row) => lossRow(row));
  const [derivatives] = (await family.scorer.gradient([recipe], lossRows)).derivatives;
  const own = derivatives![name]!["weight"]!.map((byColumn) => [...byColumn]);
  const along = own.flatMap((byColumn, i) => byColumn.map((value, k) => value * direction[i]![k]!));
  const found = along.reduce((sum, value) => sum + value);
  const prompts = lossRows.flatMap((row) => row.prompts);
  const expected = slopeBetween((await family.scorer.score(ends, prompts)).logLikelihoods);
  expect(Math.abs(found - expected) / Math.hypot(...own.flat())).toBeLessThan(1e-2);
});

/** The slope of the loss that was scored one step to either side, and two: at so many points curvature does not matter. */
function slopeBetween(logLikelihoods: LogLikelihoods): number {
  const [a, b, c, d] = logLikelihoods.map((values) =>
    rows.reduce((sum, row, i) => sum + lossOf(row).loss([...values[i]!]), 0),
  ) as [number, number, number, number];
  return (8 * (a - b) - (c - d)) / (12 * STEP);
}
