import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { type Curve, type MergeRecipe, uniformRecipe } from "../../src/merge/recipe.ts";
import type { Depth } from "../../src/space/depth-curve.ts";
import { buildGenome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { allWeights } from "../../src/model/architecture.ts";
import type { WeightSlopes } from "../../src/space/columns.ts";
import { tinyModel } from "../tiny-model.ts";

const groupings: SearchSpace["groups"][] = [
  [["attention", "mlp", "norm", "embedding"]],
  [["attention"], ["mlp"], ["norm", "embedding"]],
  [["embedding"], ["norm", "mlp", "attention"]],
];

const depths: Depth[] = [
  { curve: "constant" },
  { curve: "per-layer" },
  { curve: "dct", terms: 3 },
  { curve: "knots", terms: 2 },
  { curve: "blocks", terms: 4 },
];

const parents = { experts: ["nature", "craft"], model: tinyModel({ layers: 6 }) };

const spaces: fc.Arbitrary<SearchSpace> = fc
  .record({ groups: fc.constantFrom(...groupings), depth: fc.constantFrom(...depths), low: fc.constantFrom(-1, 0) })
  .map(({ groups, depth, low }) => spaceOf({ groups, depth, range: [low, 1.5] }));

function spaceOf(
  options: { groups?: SearchSpace["groups"]; depth?: Depth; range?: [number, number] } = {},
): SearchSpace {
  const { groups = groupings[1]!, depth = { curve: "dct", terms: 3 }, range = [0, 1.5] } = options;
  return { method: "task_arithmetic", groups, depth, parameters: { weight: { range, start: 0.8, sigma: 0.1 } } };
}

describe("a search space of very many genes", () => {
  test("is refused before they are laid out", () => {
    const space = spaceOf({ depth: { curve: "per-layer" } });
    expect(() => buildGenome(space, { ...parents, model: tinyModel({ layers: 4096 }) })).toThrow(
      new UserError(
        "the search space has more than 5000 genes, with 3 sets of groups and the depth per-layer; take fewer sets, or a curve of fewer terms",
      ),
    );
  });
});

function curves(recipe: MergeRecipe): Curve[] {
  return Object.values(recipe.parameters).flatMap((groups) =>
    Object.values(groups).flatMap((byExpert) => Object.values(byExpert)),
  );
}

/** One curve for an expert, and one that is higher throughout for the other. */
function pair(layers: number[], rest: number): Record<string, Curve> {
  return { nature: { layers, rest }, craft: { layers: layers.map((value) => value + 0.8), rest } };
}

/** One weight per expert everywhere. */
function level(weights: Readonly<Record<string, number>>): MergeRecipe {
  return uniformRecipe("task_arithmetic", weights, tinyModel({ layers: 6 }).groups);
}

function rounded({ layers }: Curve): number[] {
  return layers.map((value) => Math.round(value * 1e12) / 1e12);
}

const unit = fc.double({ min: 0, max: 1, noNaN: true });

function pointOf(dimension: number): fc.Arbitrary<Float64Array> {
  return fc.array(unit, { minLength: dimension, maxLength: dimension }).map((values) => Float64Array.from(values));
}

describe("genome", () => {
  test("names a gene after its expert, group, parameter and term", () => {
    const { genes, dimension, summary } = buildGenome(spaceOf(), parents);
    expect(genes.map(({ name }) => name).slice(0, 4)).toEqual([
      "nature.attention.weight.dct0",
      "nature.attention.weight.dct1",
      "nature.attention.weight.dct2",
      "nature.mlp.weight.dct0",
    ]);
    expect(genes.at(-1)).toEqual({ name: "craft.norm+embedding.weight.dct2", range: [-0.75, 0.75] });
    expect(new Set(genes.map(({ name }) => name)).size).toBe(18);
    expect(dimension).toBe(18);
    expect(summary).toBe("18 genes: weight of 2 experts x (attention 3, mlp 3, norm+embedding 3)");
  });

  test("gives groups outside the layers one gene", () => {
    const { summary } = buildGenome(spaceOf({ groups: groupings[2]!, depth: { curve: "per-layer" } }), parents);
    expect(summary).toBe("14 genes: weight of 2 experts x (embedding 1, norm+mlp+attention 6)");
  });

  test("follows a cosine over the depth around the level, which weights outside the layers take", () => {
    const genome = buildGenome(spaceOf(), parents);
    const point = genome.encode(level({ nature: 0.75, craft: 0 }));
    point[genome.genes.findIndex(({ name }) => name === "nature.norm+embedding.weight.dct1")] = 0.75;
    const { nature } = genome.decode(point).parameters["weight"]!["norm"]!;
    for (const [l, value] of nature!.layers.entries()) {
      expect(value).toBeCloseTo(0.75 + 0.375 * Math.cos((Math.PI * (l + 0.5)) / 6), 12);
    }
    expect(nature!.rest).toBeCloseTo(0.75, 12);
    expect(genome.decode(point).parameters["weight"]!["embedding"]!["nature"]).toEqual({
      layers: [],
      rest: nature!.rest,
    });
    expect(genome.decode(point).parameters["weight"]!["mlp"]!["nature"]).toEqual({
      layers: Array(6).fill(0.75),
      rest: 0.75,
    });
  });

  test("keeps every coefficient in the range, at any point", () => {
    const cases = spaces.chain((space) => {
      const genome = buildGenome(space, parents);
      return fc.record({ space: fc.constant(space), genome: fc.constant(genome), point: pointOf(genome.dimension) });
    });
    fc.assert(
      fc.property(cases, ({ space, genome, point }) => {
        const [low, high] = space.parameters["weight"]!.range;
        for (const { layers, rest } of curves(genome.decode(point))) {
          for (const value of [...layers, rest]) expect(value >= low && value <= high).toBe(true);
        }
      }),
    );
  });

  test("moves every gene's coefficients, and no other gene's do the same", () => {
    fc.assert(
      fc.property(spaces, (space) => {
        const genome = buildGenome(space, parents);
        const { dimension, start } = genome;
        const merges = Array.from({ length: dimension }, (_, i) => {
          const point = start.slice();
          point[i] = point[i]! + 0.03;
          return JSON.stringify(genome.decode(point));
        });
        expect(new Set([...merges, JSON.stringify(genome.decode(start))]).size).toBe(dimension + 1);
      }),
      { numRuns: 20 },
    );
  });

  test("encodes one weight per expert as a merge with that weight everywhere, or the nearest in range", () => {
    const weight = fc.double({ min: -2, max: 3, noNaN: true });
    fc.assert(
      fc.property(spaces, weight, weight, (space, nature, craft) => {
        const [low, high] = space.parameters["weight"]!.range;
        const genome = buildGenome(space, parents);
        const { weight: groups } = genome.decode(genome.encode(level({ nature, craft }))).parameters;
        for (const byExpert of Object.values(groups!)) {
          for (const [expert, curve] of Object.entries(byExpert)) {
            const expected = Math.min(high, Math.max(low, { nature, craft }[expert]!));
            for (const value of [...curve.layers, curve.rest]) expect(value).toBeCloseTo(expected, 12);
          }
        }
      }),
    );
  });

  test("encodes one weight per expert to the bit: every level at its place in the range, every deviation at 0", () => {
    const cases = fc.tuple(spaces, fc.double({ min: 0, max: 1.5, noNaN: true }));
    fc.assert(
      fc.property(cases, ([space, weight]) => {
        const genome = buildGenome(space, parents);
        const [low, high] = space.parameters["weight"]!.range;
        const expected = genome.genes.map(({ name }) =>
          /\.dct[12]$/.test(name) ? 0.5 : (weight - low) / (high - low),
        );
        expect([...genome.encode(level({ nature: weight, craft: weight }))]).toEqual(expected);
      }),
    );
  });

  test("encodes what it decodes: curves of its own kind come back as they were", () => {
    const cases = spaces.chain((space) => {
      const genome = buildGenome(space, parents);
      // Deviations that stay so small that no sum of them leaves the range, where decoding reflects it.
      const inner = fc.double({ min: 0.45, max: 0.55, noNaN: true });
      const point = fc.array(inner, { minLength: genome.dimension, maxLength: genome.dimension });
      return fc.record({ genome: fc.constant(genome), point });
    });
    fc.assert(
      fc.property(cases, ({ genome, point }) => {
        const again = genome.encode(genome.decode(Float64Array.from(point)));
        for (const [i, value] of point.entries()) expect(again[i]).toBeCloseTo(value, 12);
      }),
    );
  });

  test("encodes other curves as the nearest in range, and groups that share theirs as the mean of those with layers", () => {
    const ramp = [0, 0.2, 0.4, 0.6, 0.8, 1];
    const recipe: MergeRecipe = {
      method: "task_arithmetic",
      parameters: {
        weight: {
          attention: pair(ramp, 9),
          mlp: pair(ramp.toReversed(), 9),
          norm: pair(Array(6).fill(0.2), 9),
          embedding: pair([], 0.3),
        },
      },
    };
    const weights = (options: Parameters<typeof spaceOf>[0]): MergeRecipe["parameters"][string] => {
      const genome = buildGenome(spaceOf(options), parents);
      return genome.decode(genome.encode(recipe)).parameters["weight"]!;
    };
    const halves = weights({ depth: { curve: "blocks", terms: 2 } });
    expect(rounded(halves["attention"]!["nature"]!)).toEqual([0.2, 0.2, 0.2, 0.8, 0.8, 0.8]);
    // Above the range are 1.6 and 1.8, which count as its end: (1.4 + 1.5 + 1.5) / 3.
    const upper = 1.466666666667;
    expect(rounded(halves["attention"]!["craft"]!)).toEqual([1, 1, 1, upper, upper, upper]);
    expect(rounded(halves["norm"]!["nature"]!)).toEqual(Array(6).fill(0.2));
    const shared = weights({ groups: groupings[2]!, depth: { curve: "knots", terms: 3 } });
    expect(rounded(shared["mlp"]!["nature"]!)).toEqual(Array(6).fill(0.4));
    expect(shared["embedding"]!["nature"]!.rest).toBeCloseTo(0.3, 12);
    const cosines = weights({ depth: { curve: "dct", terms: 3 } })["attention"]!["nature"]!.layers;
    for (const [l, value] of cosines.entries()) expect(Math.abs(value - ramp[l]!)).toBeLessThan(0.05);
  });

  test("starts at the start, or at the uniform average", () => {
    const genome = buildGenome(spaceOf(), parents);
    expect(genome.start).toEqual(genome.encode(level({ nature: 0.8, craft: 0.8 })));
    const uniform = buildGenome(
      { ...spaceOf(), method: "linear", parameters: { weight: { range: [0, 1], start: "uniform" } } },
      { experts: ["a", "b", "c", "d"], model: tinyModel({ layers: 2 }) },
    );
    expect(curves(uniform.decode(uniform.start)).every(({ rest }) => rest === 0.25)).toBe(true);
  });

  test("states sigma in units of the parameter, and shortens the default where genes are many", () => {
    const { sigma, scales } = buildGenome(spaceOf(), parents);
    expect(sigma).toBeCloseTo(0.1 / 1.5, 15);
    expect(scales).toEqual(new Float64Array(18).fill(1));
    const { rates } = buildGenome(spaceOf({ range: [-1, 1] }), parents);
    expect(rates).toEqual(new Float64Array(18).fill(0.05));
    const withoutSigma: SearchSpace = {
      ...spaceOf({ depth: { curve: "per-layer" } }),
      parameters: { weight: { range: [0, 1], start: 0.5 } },
    };
    expect(buildGenome(withoutSigma, { experts: ["a"], model: tinyModel({ layers: 2 }) }).sigma).toBe(0.1);
    expect(buildGenome(withoutSigma, { experts: ["a"], model: tinyModel({ layers: 36 }) }).sigma).toBeCloseTo(0.05, 15);
  });

  test("begins with steps that are no longer than a third of a narrow range", () => {
    const narrow = { range: [0, 0.01], start: 0.001 } as const;
    const { sigma, scales, rates } = buildGenome({ ...spaceOf(), parameters: { weight: narrow } }, parents);
    expect([sigma, ...scales]).toEqual([1 / 3, ...new Float64Array(18).fill(1)]);
    expect(rates).toEqual(new Float64Array(18).fill(1 / 3));
  });

  test("refuses points outside the unit cube, of another length, and weights that are no numbers", () => {
    const genome = buildGenome(spaceOf(), parents);
    expect(() => genome.decode(new Float64Array(3))).toThrow("numbers, one for each gene, found 3");
    for (const bad of [Number.NaN, -1e-9, 1.001, Infinity]) {
      expect(() => genome.decode(genome.start.with(4, bad))).toThrow("point: expected numbers from 0 to 1");
    }
    expect(() => genome.encode(level({ nature: 1 }))).toThrow("craft");
    expect(() => genome.encode(level({ nature: 1, craft: Number.NaN }))).toThrow("craft");
  });

  test("makes recipes of plain data, the same for the same point", () => {
    const genome = buildGenome(spaceOf(), parents);
    const recipe = genome.decode(genome.start);
    expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe);
    expect(genome.decode(genome.start)).toEqual(recipe);
  });
});

test("densities are multiples of a thousandth with no derivatives, and a recipe has the space's options and seed", () => {
  const density = { range: [0.1, 1], start: 0.5 } as const;
  const lambda = { range: [0, 2], start: 1 } as const;
  const own = { weight: { range: [0, 1.5], start: 0.8 } as const, density, lambda };
  const space = { method: "dare_linear", options: { normalize: true }, seed: 9, parameters: own } as const;
  const genome = buildGenome({ ...spaceOf(), ...space }, parents);
  const point = genome.start.map((gene, i) => gene + 0.1 * Math.sin(i));
  const recipe = genome.decode(point);
  expect(recipe).toMatchObject({ method: "dare_linear", options: { normalize: true }, seed: 9 });
  const densities = Object.values(recipe.parameters["density"]!).flatMap((byExpert) => Object.values(byExpert));
  const found = densities.flatMap(({ layers, rest }) => [...layers, rest]);
  expect(found).toEqual(found.map((value) => Math.round(value * 1000) / 1000));
  expect(new Set(found).size).toBeGreaterThan(2);
  const slopes = allWeights(parents.model).map(({ name }) => [name, { weight: [[1], [1]], lambda: [[1], [1]] }]);
  const pulled = genome.pullBack(point, Object.fromEntries(slopes) as WeightSlopes);
  const named = (part: string): number[] =>
    genome.genes.flatMap(({ name }, i) => (name.includes(part) ? [Math.abs(pulled[i]!)] : []));
  expect(Math.max(...named("density"))).toBe(0);
  expect(Math.max(...named("weight"))).toBeGreaterThan(0);
});
