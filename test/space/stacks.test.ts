import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import { stepAt } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { buildGenome, type MergeGenome } from "../../src/space/genome.ts";
import { isWhole } from "../../src/space/is-whole.ts";
import { knotRecipeSchemaWith, recipeOver } from "../../src/space/knot-recipe.ts";
import { searchSpaceSchemaWith } from "../../src/space/search-space.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5 } from "../tiny-t5.ts";

const experts = ["one", "two"];
const model = tinyT5();

function genomeOf(groups: string, depth: string, own: Model = model): MergeGenome {
  const text = `{ method: task_arithmetic, groups: ${groups}, depth: ${depth} }`;
  return buildGenome(parseYaml(text, "space.yaml", searchSpaceSchemaWith()), { experts, model: own });
}

/** Of a loss that is the sum of all values, each times a number of its own. */
function factor(weight: number, expert: number): number {
  return Math.sin(1 + 7 * weight + 3 * expert);
}

const sets = "[[attention], [mlp], [norm, embedding]]";

describe("a search space of a model of two stacks", () => {
  test("has curves of their own for both, each over its own layers", () => {
    const genome = genomeOf(sets, "per-layer");
    expect(genome.summary).toBe(
      "30 genes: weight of 2 experts x (encoder.attention 2, decoder.attention 3, encoder.mlp 2, decoder.mlp 3, encoder.norm+encoder.embedding 2, decoder.norm+decoder.embedding 3)",
    );
    const recipe = genome.decode(genome.start.map((_, i) => i / genome.dimension));
    const lengths = Object.entries(recipe.parameters["weight"]!).map(([name, { one }]) => [name, one!.layers.length]);
    expect(Object.fromEntries(lengths)).toEqual({
      "encoder.attention": 2,
      "encoder.mlp": 2,
      "encoder.norm": 2,
      "encoder.embedding": 0,
      "decoder.attention": 3,
      "decoder.mlp": 3,
      "decoder.norm": 3,
      "decoder.embedding": 0,
    });
    expect(isWhole(recipe, { experts, model })).toBe(true);
    expect(genomeOf(sets, "{ dct: 3 }").dimension).toBe(2 * 3 * (2 + 3));
  });

  test("has one value for both where it does not depend on the depth", () => {
    const genome = genomeOf("all", "constant");
    expect(genome.summary).toBe("2 genes: weight of 2 experts x (all 1)");
    const recipe = genome.decode(Float64Array.of(0.25, 0.5));
    for (const weight of allWeights(model)) {
      expect(stepAt(recipe, weight, experts)).toMatchObject({ values: { weight: [0.375, 0.75] } });
    }
  });

  test("may name the group of one stack", () => {
    const genome = genomeOf("[[encoder.attention, mlp], [decoder.attention, norm, embedding]]", "constant");
    expect(genome.genes.map(({ name }) => name)).toEqual([
      "one.encoder.attention+encoder.mlp+decoder.mlp.weight",
      "one.decoder.attention+encoder.norm+decoder.norm+encoder.embedding+decoder.embedding.weight",
      "two.encoder.attention+encoder.mlp+decoder.mlp.weight",
      "two.decoder.attention+encoder.norm+decoder.norm+encoder.embedding+decoder.embedding.weight",
    ]);
    const causal = (): MergeGenome =>
      genomeOf("[[encoder.attention, decoder.attention], [mlp], [norm, embedding]]", "constant", tinyModel());
    expect(causal).toThrow("the search space has no set with attention, which this model has; list attention");
  });

  test("leaves out the group of a head that is the embedding", () => {
    const genome = genomeOf(
      "[[attention, mlp, norm], [embedding]]",
      "per-layer",
      tinyT5({ tie_word_embeddings: true }),
    );
    expect(genome.genes.map(({ name }) => name).filter((name) => name.includes("embedding"))).toEqual([
      "one.encoder.embedding.weight",
      "two.encoder.embedding.weight",
    ]);
  });

  test.each([
    [sets, "per-layer"],
    [sets, "{ dct: 3 }"],
    ["all", "constant"],
    ["tensors", "per-layer"],
  ])("of %s, %s finds its points again, and pulls derivatives back as decoding pushes them", (groups, depth) => {
    const genome = genomeOf(groups, depth);
    const inside = fc.array(fc.double({ min: 0.4, max: 0.6, noNaN: true }), {
      minLength: genome.dimension,
      maxLength: genome.dimension,
    });
    const weights = allWeights(model);
    fc.assert(
      fc.property(inside, inside, (at, towards) => {
        const point = Float64Array.from(at);
        const found = genome.encode(genome.decode(point));
        expect(Math.max(...found.map((value, i) => Math.abs(value - point[i]!)))).toBeLessThan(1e-6);
        const loss = (own: Float64Array): number => {
          const recipe = genome.decode(own);
          return weights.reduce((sum, weight, i) => {
            const step = stepAt(recipe, weight, experts);
            const values = "values" in step ? step.values["weight"]! : [];
            return sum + values.reduce<number>((total, value, e) => total + factor(i, e) * Number(value), 0);
          }, 0);
        };
        const slopes = weights.map(({ name }, i) => [name, { weight: experts.map((_, e) => [factor(i, e)]) }]);
        const pulled = genome.pullBack(point, Object.fromEntries(slopes));
        const direction = towards.map((value) => value - 0.5);
        const expected = pulled.reduce((sum, slope, i) => sum + slope * direction[i]!, 0);
        const ends = [1e-3, -1e-3].map((step) => loss(point.map((value, i) => value + step * direction[i]!)));
        expect((ends[0]! - ends[1]!) / 2e-3).toBeCloseTo(expected, 6);
      }),
      { numRuns: 20 },
    );
  });
});

describe("a recipe for a model of two stacks", () => {
  test("goes through the depth of each, and may give the group of one stack a value of its own", () => {
    const text = `
method: linear
weight:
  one: { attention: [0, 1], decoder.attention: [1, 0], rest: 0.5 }
  two: 0.25`;
    const { weight } = recipeOver(model.groups, parseYaml(text, "recipe.yaml", knotRecipeSchemaWith())).parameters;
    expect(weight!["encoder.attention"]!["one"]).toEqual({ layers: [0, 1], rest: 0.5 });
    expect(weight!["decoder.attention"]!["one"]).toEqual({ layers: [1, 0.5, 0], rest: 0.5 });
    expect(weight!["decoder.mlp"]).toEqual({
      one: { layers: [0.5, 0.5, 0.5], rest: 0.5 },
      two: { layers: [0.25, 0.25, 0.25], rest: 0.25 },
    });
    expect(weight!["decoder.embedding"]!["one"]).toEqual({ layers: [], rest: 0.5 });
  });
});
