import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stepAt } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import type { Depth } from "../../src/space/depth-curve.ts";
import { buildGenome, type Genome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { unpack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { tinyModel } from "../tiny-model.ts";

const experts = ["nature", "craft"];
const parents = { experts, model: tinyModel({ layers: 5 }) };

const groupings: SearchSpace["groups"][] = [
  "tensors",
  [["attention", "mlp", "norm", "embedding"]],
  [["attention"], ["mlp"], ["norm", "embedding"]],
  [["embedding"], ["norm", "mlp", "attention"]],
];

const depths: Depth[] = [
  { curve: "constant" },
  { curve: "per-layer" },
  { curve: "dct", terms: 3 },
  { curve: "knots", terms: 3 },
  { curve: "blocks", terms: 2 },
];

interface Case {
  readonly genome: Genome;
  readonly point: Float64Array;
  /** Coefficients of a random linear functional of the merge: by weight, then parameter, expert and column. */
  readonly slopes: Readonly<Record<string, { readonly weight: readonly Float64Array[] }>>;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    groups: fc.constantFrom(...groupings),
    depth: fc.constantFrom(...depths),
    columns: fc.boolean(),
    low: fc.constantFrom(-1, 0),
    seed: fc.nat(),
  })
  .map(({ groups, depth, columns, low, seed }) => {
    const weight = { range: [low, 1.5] as const, start: 0.8 };
    const genome = buildGenome({ method: "task_arithmetic", groups, depth, columns, parameters: { weight } }, parents);
    const random = RandomStream.of(seed, "case");
    return {
      genome,
      // Everywhere in the cube, so that sums of terms leave the range on both sides.
      point: new Float64Array(genome.dimension).map(() => 0.001 + 0.998 * random.uniform()),
      slopes: Object.fromEntries(
        allWeights(parents.model).map(({ name, shape }) => [
          name,
          { weight: experts.map(() => new Float64Array(columns ? shape.at(-1)! : 1).map(() => random.normal())) },
        ]),
      ),
    };
  });

/** The functional at the merge of a point. */
function valueAt({ genome, slopes }: Case, point: Float64Array): number {
  const recipe = genome.decode(point);
  let sum = 0;
  for (const weight of allWeights(parents.model)) {
    const step = stepAt(recipe, weight, experts);
    if (step.method === "passthrough") continue;
    for (const [i, value] of step.values["weight"]!.entries()) {
      const values = typeof value === "number" ? [value] : unpack(value)!;
      for (const [column, one] of values.entries()) sum += slopes[weight.name]!.weight[i]![column]! * one;
    }
  }
  return sum;
}

/** Of a point: each takes three merges. */
const GENES_AT_MOST = 20;

const byCurves = { step: 2 ** -20, noise: 1e-9, digits: 6 };
const byColumns = { step: 2 ** -12, noise: 1e-5, digits: 1 };

describe("pullBack", () => {
  test("is the derivative of linear functionals of the merge, on both sides of the folds", () => {
    let [folded, all] = [0, 0];
    fc.assert(
      fc.property(cases, (own) => {
        // Coefficients of columns are rounded to f32.
        const { step, noise, digits } = own.genome.dimension > own.genome.genes.length ? byColumns : byCurves;
        const found = own.genome.pullBack(own.point, own.slopes);
        const stride = Math.ceil(found.length / GENES_AT_MOST);
        for (const [i, value] of own.point.entries()) {
          if (i % stride > 0) continue;
          all += 1;
          const at = (by: number): number => valueAt(own, own.point.with(i, value + by));
          const [below, above] = [at(0) - at(-step), at(step) - at(0)];
          // A fold between the two points has two slopes.
          if (Math.abs(below - above) > noise) folded += 1;
          else expect(found[i]).toBeCloseTo((below + above) / (2 * step), digits);
        }
      }),
    );
    expect(folded / all).toBeLessThan(0.01);
  });

  test("turns the sign where a sum of terms is beyond the range", () => {
    const space: SearchSpace = {
      method: "task_arithmetic",
      groups: [["attention", "mlp", "norm", "embedding"]],
      depth: { curve: "dct", terms: 2 },
      parameters: { weight: { range: [0, 1], start: 0.5 } },
    };
    const genome = buildGenome(space, { experts: ["nature"], model: parents.model });
    const none = allWeights(parents.model).map(({ name }): [string, object] => [name, { weight: [[0]] }]);
    const ofFirstLayer = { ...Object.fromEntries(none), "model.layers.0.mlp.up_proj.weight": { weight: [[2]] } };
    const slopeAt = (level: number): number => genome.pullBack(Float64Array.of(level, 1), ofFirstLayer)[0]!;
    // The cosine adds 0.475 to the first layer.
    expect(slopeAt(0.5)).toBe(2);
    expect(slopeAt(0.6)).toBe(-2);
  });

  test("adds what weights outside the layers say to all layers, of whose values theirs is the mean", () => {
    const space: SearchSpace = {
      method: "task_arithmetic",
      groups: [["attention"], ["mlp"], ["norm", "embedding"]],
      depth: { curve: "per-layer" },
      parameters: { weight: { range: [0, 2], start: 0.5 } },
    };
    const genome = buildGenome(space, { experts: ["nature"], model: parents.model });
    const none = allWeights(parents.model).map(({ name }): [string, object] => [name, { weight: [[0]] }]);
    const slopes = { ...Object.fromEntries(none), "model.norm.weight": { weight: [[1]] } };
    const found = genome.pullBack(genome.start, slopes);
    for (const [i, { name }] of genome.genes.entries()) {
      expect(found[i]).toBeCloseTo(name.startsWith("nature.norm") ? 2 / 5 : 0, 12);
    }
  });

  test("misses derivatives of a weight, a parameter or an expert", () => {
    const [own] = fc.sample(cases, { numRuns: 1, seed: 1 }) as [Case];
    const name = "model.layers.3.mlp.down_proj.weight";
    const changed = (entry: object | undefined): Case["slopes"] =>
      ({ ...own.slopes, [name]: entry }) as unknown as Case["slopes"];
    for (const entry of [undefined, {}, { weight: [[1]] }]) {
      expect(() => own.genome.pullBack(own.point, changed(entry))).toThrow(
        new RegExp(`^genome: expected .*derivatives by .* ${name}`),
      );
    }
    expect(() => own.genome.pullBack(new Float64Array(2), own.slopes)).toThrow("found 2");
  });
});
