import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stepAt, uniformRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { buildGenome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { unpack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { tinyModel } from "../tiny-model.ts";

const experts = ["nature", "craft"];
const parents = { experts, model: tinyModel({ layers: 2 }) };
const weights = allWeights(parents.model);
const columnsOfAll = weights.reduce((sum, { shape }) => sum + shape.at(-1)!, 0) * experts.length;

const space: SearchSpace = {
  method: "task_arithmetic",
  groups: "tensors",
  depth: { curve: "per-layer" },
  columns: true,
  parameters: { weight: { range: [0, 1.5], start: 0.8 } },
};

const genome = buildGenome(space, parents);
const { columns: _, ...ofCurves } = space;
const curves = buildGenome(ofCurves, parents);

/** By weight, then by expert. */
function columnsAt(point: Float64Array): readonly (readonly Float32Array[])[] {
  const recipe = genome.decode(point);
  return weights.map((weight) => {
    const step = stepAt(recipe, weight, experts);
    return "values" in step ? step.values["weight"]!.map((value) => unpack(String(value))!) : [];
  });
}

describe("a search space of input columns", () => {
  test("has their genes behind those of the curves, without names", () => {
    expect(genome.genes).toEqual(curves.genes);
    expect(genome.dimension).toBe(curves.dimension + columnsOfAll);
    expect(genome.summary).toBe(
      `${curves.summary.replace(String(curves.dimension), String(genome.dimension))}; ${columnsOfAll} of input columns`,
    );
    for (const each of [genome.start, genome.rates, genome.scales]) expect(each).toHaveLength(genome.dimension);
  });

  test("begins where columns do not deviate, and moves them less than whole tensors", () => {
    expect(
      columnsAt(genome.start)
        .flat()
        .every((own) => own.every((value) => value === Math.fround(0.8))),
    ).toBe(true);
    expect(genome.rates[0]).toBe(0.1 / 1.5);
    expect(genome.rates.at(-1)).toBe(0.03 / 1.5);
  });

  test("adds a column's deviation to the coefficient of its tensor, and turns back at the bounds", () => {
    const last = genome.dimension - 1;
    const at = (level: number, deviation: number): number => {
      const point = genome.start.with(curves.dimension - 1, level / 1.5).with(last, 1 / 2 + deviation / 1.5);
      return columnsAt(point).at(-1)!.at(-1)!.at(-1)!;
    };
    expect(at(1, 0.25)).toBeCloseTo(1.25, 6);
    expect(at(1, -0.75)).toBeCloseTo(0.25, 6);
    expect(at(1.25, 0.5)).toBeCloseTo(1.25, 6);
    expect(at(0.25, -0.5)).toBeCloseTo(0.25, 6);
  });

  test("finds the point of a recipe again, with its columns or without", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = RandomStream.of(seed, "point");
        // So near to the middle that no sum leaves the range.
        const point = new Float64Array(genome.dimension).map(() => 0.4 + 0.2 * random.uniform());
        const found = genome.encode(genome.decode(point));
        expect(Math.max(...found.map((value, i) => Math.abs(value - point[i]!)))).toBeLessThan(1e-6);
      }),
    );
    const uniform = uniformRecipe("task_arithmetic", { nature: 0.6, craft: 0.9 }, parents.model.groups);
    expect(genome.encode(uniform).subarray(0, curves.dimension)).toEqual(curves.encode(uniform));
    expect(genome.encode(uniform).subarray(curves.dimension)).toEqual(new Float64Array(columnsOfAll).fill(0.5));
  });

  test("is refused where columns are too many, with what to leave out", () => {
    const [stage] = parents.model.stages as [(typeof parents.model.stages)[number]];
    const wide = {
      ...stage,
      weights: { wide: { name: "wide", tensor: "lm_head", group: "embedding", shape: [1, 9e6] } },
    };
    const model = { ...parents.model, stages: [wide] };
    expect(() =>
      buildGenome({ ...space, groups: [["attention", "mlp", "norm", "embedding"]] }, { experts, model }),
    ).toThrow(
      "the search space has 18000000 input columns, and at most 8388608 can be searched; take fewer experts, or leave out columns",
    );
  });
});
