import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MergeRecipe, stepAt, uniformRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import type { Depth } from "../../src/space/depth-curve.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { isWhole } from "../../src/space/is-whole.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { pack, type Packed } from "../../src/tensor/packed.ts";
import { tinyModel } from "../tiny-model.ts";

const LAYERS = 4;
const experts = ["nature", "craft", "news"];
const parents = { experts, model: tinyModel({ layers: LAYERS }) };
const { groups } = parents.model;

function spaceOf(depth: Depth): SearchSpace {
  return {
    method: "task_arithmetic",
    groups: "tensors",
    depth,
    parameters: { weight: { range: [0, 1.5], start: 0.8 } },
  };
}

const perLayer = buildGenome(spaceOf({ curve: "per-layer" }), parents);

describe("a search space of tensors", () => {
  test("has a gene for every tensor and expert where depth is per layer", () => {
    expect(perLayer.dimension).toBe((9 * LAYERS + 3) * experts.length);
    const names = perLayer.genes.map(({ name }) => name);
    expect(names.slice(0, 6)).toEqual([
      "nature.embed_tokens.weight",
      "nature.input_layernorm.weight.layer0",
      "nature.input_layernorm.weight.layer1",
      "nature.input_layernorm.weight.layer2",
      "nature.input_layernorm.weight.layer3",
      "nature.q_proj.weight.layer0",
    ]);
    expect(names.slice(-2)).toEqual(["news.norm.weight", "news.lm_head.weight"]);
    expect(new Set(names).size).toBe(perLayer.dimension);
    expect(perLayer.summary).toMatch(
      /^117 genes: weight of 3 experts x \(embed_tokens 1, input_layernorm 4, q_proj 4, /,
    );
  });

  test("is refused where its genes are too many, with a way to fewer", () => {
    const large = { experts, model: tinyModel({ layers: 200 }) };
    expect(() => buildGenome(spaceOf({ curve: "per-layer" }), large)).toThrow(
      "more than 5000 genes, with 12 kinds of tensors and the depth per-layer; take sets of groups instead, or a curve of fewer terms",
    );
  });

  test("has none for a head that is the embedding", () => {
    const genome = buildGenome(spaceOf({ curve: "constant" }), { experts, model: tinyModel({ tied: true }) });
    expect(genome.genes.filter(({ name }) => name.startsWith("craft")).map(({ name }) => name)).not.toContain(
      "craft.lm_head.weight",
    );
    expect(genome.dimension).toBe(11 * experts.length);
  });

  test("moves by each gene the values of one tensor and one expert", () => {
    const valuesAt = (point: Float64Array): string[] => {
      const recipe = perLayer.decode(point);
      return allWeights(parents.model).flatMap((weight) => {
        const step = stepAt(recipe, weight, experts);
        const values = step.method === "passthrough" ? [] : step.values["weight"]!;
        return values.map((value, i) => `${weight.name} ${experts[i]} ${value}`);
      });
    };
    const before = new Set(valuesAt(perLayer.start));
    const moved = perLayer.genes.map((_, i) => {
      const changed = valuesAt(perLayer.start.with(i, 0.1)).filter((value) => !before.has(value));
      expect(changed).toHaveLength(1);
      return changed[0]!;
    });
    expect(new Set(moved).size).toBe(perLayer.dimension);
  });

  test("starts from merges by group: those of one weight to the bit, others where each kind is in its group", () => {
    const weights = { nature: 0.4, craft: 0.9, news: 1.2 };
    const point = perLayer.encode(uniformRecipe("task_arithmetic", weights, groups));
    for (const [i, { name }] of perLayer.genes.entries()) {
      expect(point[i]).toBe(weights[name.split(".")[0] as keyof typeof weights] / 1.5);
    }
    const bySets: SearchSpace = { ...spaceOf({ curve: "per-layer" }), groups: groups.map(({ name }) => [name]) };
    const coarse = buildGenome(bySets, parents);
    const cases = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: coarse.dimension,
      maxLength: coarse.dimension,
    });
    fc.assert(
      fc.property(cases, (values) => {
        const recipe = coarse.decode(Float64Array.from(values));
        const again = perLayer.decode(perLayer.encode(recipe));
        for (const weight of allWeights(parents.model)) {
          const [expected, found] = [recipe, again].map((one) => stepAt(one, weight, experts) as { values: object });
          expectClose(found!.values, expected!.values);
        }
      }),
      { numRuns: 20 },
    );
  });

  test.each([
    { curve: "dct", terms: 3 },
    { curve: "knots", terms: 2 },
    { curve: "blocks", terms: 2 },
    { curve: "constant" },
  ] as const)("takes the curve $curve, and encodes what it decodes", (depth) => {
    const genome = buildGenome(spaceOf(depth), parents);
    const terms = "terms" in depth ? depth.terms : 1;
    expect(genome.dimension).toBe((9 * terms + 3) * experts.length);
    const inner = fc.double({ min: 0.45, max: 0.55, noNaN: true });
    const points = fc.array(inner, { minLength: genome.dimension, maxLength: genome.dimension });
    fc.assert(
      fc.property(points, (values) => {
        const again = genome.encode(genome.decode(Float64Array.from(values)));
        for (const [i, value] of values.entries()) expect(again[i]).toBeCloseTo(value, 12);
      }),
      { numRuns: 20 },
    );
  });
});

interface Changeable {
  readonly parameters: Record<string, object>;
  readonly columns: Record<string, Record<string, Record<string, Packed>>>;
}

describe("isWhole", () => {
  test("does not hold of a combination with columns, or of other experts than its method merges", () => {
    const uniform = uniformRecipe("multislerp", { nature: 1, craft: 1, news: 1 }, parents.model.groups);
    expect(isWhole(uniform, parents)).toBe(true);
    expect(isWhole({ ...uniform, method: "nuslerp" }, parents)).toBe(false);
    const [weight] = allWeights(parents.model);
    const values = pack(new Float32Array(weight!.shape.at(-1)!));
    const columns = { weight: { [weight!.name]: { nature: values, craft: values, news: values } } };
    expect(isWhole({ ...uniform, method: "task_arithmetic", columns }, parents)).toBe(true);
    expect(isWhole({ ...uniform, columns }, parents)).toBe(false);
  });

  test("holds of what a genome decodes, and no longer where a kind, an expert or a layer is left out", () => {
    const recipe = perLayer.decode(perLayer.start);
    expect(isWhole(recipe, parents)).toBe(true);
    const change = (
      edit: (weight: Record<string, Record<string, { layers: number[]; rest: number }>>) => void,
    ): MergeRecipe => {
      const copy = structuredClone(recipe) as { method: "task_arithmetic"; parameters: Record<string, never> };
      edit(copy.parameters["weight"]!);
      return copy;
    };
    expect(
      isWhole(
        change((weight) => delete weight["q_proj"]),
        parents,
      ),
    ).toBe(false);
    expect(
      isWhole(
        change((weight) => delete weight["norm"]!["craft"]),
        parents,
      ),
    ).toBe(false);
    expect(
      isWhole(
        change((weight) => weight["up_proj"]!["news"]!.layers.pop()),
        parents,
      ),
    ).toBe(false);
    expect(
      isWhole(
        change((weight) => weight["lm_head"]!["news"]!.layers.push(1)),
        parents,
      ),
    ).toBe(true);
    expect(isWhole({ method: "task_arithmetic", parameters: {} }, parents)).toBe(false);
  });

  test.each<readonly [what: string, change: (recipe: Changeable, columns: Packed) => void]>([
    ["columns of another weight", ({ columns: { weight } }, own) => (weight!["model.other.weight"] = { nature: own })],
    ["columns of another expert", ({ columns: { weight } }, own) => (weight!["lm_head.weight"]!["other"] = own)],
    [
      "columns of another method's parameter",
      ({ columns }, own) => (columns["density"] = { "lm_head.weight": { nature: own } }),
    ],
    ["another method's parameter", ({ parameters }) => (parameters["density"] = {})],
    ["columns too few", ({ columns: { weight } }) => (weight!["lm_head.weight"]!["nature"] = pack(Float32Array.of(1)))],
    ["an expert without columns", ({ columns: { weight } }) => delete weight!["lm_head.weight"]!["nature"]],
  ])("does not hold of a recipe with %s", (_, change) => {
    const genome = buildGenome({ ...spaceOf({ curve: "constant" }), columns: true }, parents);
    const recipe = structuredClone(genome.decode(genome.start)) as unknown as Changeable & MergeRecipe;
    expect(isWhole(recipe, parents)).toBe(true);
    change(recipe, recipe.columns["weight"]!["lm_head.weight"]!["nature"]!);
    expect(isWhole(recipe, parents)).toBe(false);
  });

  test("takes a group for all its kinds", () => {
    const recipe = uniformRecipe("linear", { nature: 1, craft: 0, news: 0 }, groups);
    expect(isWhole(recipe, parents)).toBe(true);
    expect(isWhole(recipe, { ...parents, experts: [...experts, "other"] })).toBe(false);
  });
});

function expectClose(found: object, expected: object): void {
  const values = Object.values(expected).flat() as number[];
  for (const [i, value] of (Object.values(found).flat() as number[]).entries())
    expect(value).toBeCloseTo(values[i]!, 12);
}
