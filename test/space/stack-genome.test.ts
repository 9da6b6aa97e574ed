import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import type { StackRecipe } from "../../src/merge/recipe.ts";
import { isStackOf } from "../../src/space/is-whole.ts";
import type { Genome } from "../../src/space/genome.ts";
import { anySpaceSchemaWith, type AnySpace, genomeOf } from "../../src/space/spaces.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5 } from "../tiny-t5.ts";

const models = ["base", "a", "b"];
const parents = { base: "base", experts: ["a", "b"], model: tinyModel({ layers: 4 }) };

function parse(text: string): AnySpace {
  return parseYaml(text, "space.yaml", anySpaceSchemaWith());
}

function genomeIn(text: string): Genome {
  return genomeOf(parse(`{ method: stack, ${text} }`), parents);
}

function ownOf(model: string): StackRecipe {
  return { method: "stack", layers: [0, 1, 2, 3].map((layer) => ({ model, layer, scale: 1 })), rest: model };
}

describe("the genome of stacks", () => {
  test.each(["layers: { exactly: 4 }", "layers: { atMost: 4 }", "layers: { atMost: 7 }, window: any, scale: 1"])(
    "begins at the base, and at each parent that is asked for: %s",
    (text) => {
      const genome = genomeIn(text);
      expect(genome.decode(genome.start)).toEqual(ownOf("base"));
      for (const model of models)
        expect(genome.decode(genome.startAt({ method: "passthrough", model })!)).toEqual(ownOf(model));
      expect(genome.startAt({ method: "linear", parameters: {} })).toBeUndefined();
    },
  );

  test("has no point of a parent where there are fewer layers, or all are scaled", () => {
    const copy = { method: "passthrough", model: "a" } as const;
    for (const text of ["layers: { exactly: 5 }", "layers: { atMost: 3 }", "layers: { exactly: 4 }, scale: 0.5"])
      expect(genomeIn(text).startAt(copy)).toBeUndefined();
    const { layers } = genomeIn("layers: { exactly: 6 }").decode(
      genomeIn("layers: { exactly: 6 }").start,
    ) as StackRecipe;
    expect(layers.map(({ layer }) => layer)).toEqual([0, 0, 1, 2, 2, 3]);
  });

  test("is a stack of the parents' layers at every point, each in its window, of no more layers than told and at least one", () => {
    const genome = genomeIn("layers: { atMost: 6 }, window: 1, scale: { range: [0.5, 2], sigma: 0.1 }");
    const point = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: genome.dimension,
      maxLength: genome.dimension,
    });
    fc.assert(
      fc.property(point, (values) => {
        const recipe = genome.decode(Float64Array.from(values)) as StackRecipe;
        expect(isStackOf(recipe, { models, model: parents.model })).toBe(true);
        expect(recipe.layers.length).toBeGreaterThan(0);
        expect(recipe.layers.length).toBeLessThanOrEqual(6);
        for (const { scale } of recipe.layers) expect(scale >= 0.5 && scale <= 2).toBe(true);
      }),
    );
    expect(genome.dimension).toBe(1 + 6 * 4);
    expect(genome.summary).toBe("25 genes: a stack of at most 6 layers, each up to 1 from its place");
    expect(genome.genes[3]).toMatchObject({ name: "0.layer", range: [-0.5, 1.5] });
    expect(genome.levels?.slice(0, 5)).toEqual([3, 2, 3, 2, 0]);
  });

  test("has genes for what there is to choose alone", () => {
    const genome = genomeIn("layers: { exactly: 4 }, window: 0, scale: 1");
    expect(genome.genes.map(({ name }) => name)).toEqual(["rest", "0.model", "1.model", "2.model", "3.model"]);
  });

  test("refuses models whose layers are not restacked", () => {
    const space = parse("{ method: stack, layers: { exactly: 2 } }");
    expect(() => genomeOf(space, { ...parents, model: tinyT5() })).toThrow(
      "the search space stacks layers: expected models of one stack, whose layers add to the hidden states what their last products give, found others, such as T5 or Gemma 2",
    );
  });
});

describe("a space of stacks", () => {
  test("fills in its defaults, and can be written as it is used", () => {
    const space = parse("{ method: stack, layers: { atMost: 6 } }");
    expect(space).toEqual({
      method: "stack",
      layers: { atMost: 6 },
      window: 1,
      scale: { range: [0.5, 1.5], sigma: 0.1 },
    });
    expect(parse(JSON.stringify(space))).toEqual(space);
  });

  test.each([
    ["{ method: stak, layers: { exactly: 2 } }", "expected linear, task_arithmetic,"],
    ["{ method: stack }", 'missing key "layers"'],
    ["{ method: stack, layers: { exactly: 0 } }", "layers.exactly: expected at least 1, found 0"],
    ["{ method: stack, layers: { exactly: 2 }, window: -1 }", "window: "],
    ["{ method: stack, layers: { exactly: 2 }, scale: { range: [2, 3] } }", "expected a range with 1 in it"],
    ["{ method: stack, layers: { exactly: 2 }, scale: { range: [2, 1] } }", "the lower end before the higher one"],
    ["{ method: stack, layers: { exactly: 2 }, scale: { sigma: 1 } }", "expected at most a third of the range"],
    ["{ method: stack, layers: { exactly: 2 }, groups: all }", 'unknown key "groups"'],
  ])("refuses %s", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
