/**
 * What optimizers reach for what they cost, on landscapes that are like losses of merges: a quadratic for each row, whose
 * best points scatter about that of all rows, seen through a few rows at a time. A gradient counts as four losses.
 *
 *     npx tsx bench/optimizers.ts [--seeds 15] [--fraction 0.1]
 */
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { alignedText } from "../src/report/text/text-table.ts";
import { BoundedCmaEs } from "../src/search/bounded-cma-es.ts";
import { GradientWalk } from "../src/search/gradient-walk.ts";
import { Lineages } from "../src/search/lineages.ts";
import type { Candidate, Optimizer, OptimizerOptions } from "../src/search/optimizer.ts";
import { separable } from "../src/search/sep-cma-es.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { machine } from "./machine.ts";

const GRADIENT_COST = 4;
/** In evaluations on all rows. */
const BUDGETS = [4, 15, 60];
const ROWS = 700;

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "15" }, fraction: { type: "string", default: "0.1" } },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const fraction = Number(values.fraction);

interface Landscape {
  readonly dimension: number;
  /** Row `r` has its best point at `best + offsets[r]`. */
  readonly best: Float64Array;
  readonly offsets: readonly Float64Array[];
  readonly curvature: Float64Array;
  /** Along which the curvatures are; the coordinates where there are none. */
  readonly axes: readonly Float64Array[] | undefined;
}

const landscapes: Readonly<Record<string, (seed: number) => Landscape>> = {
  "27 genes": (seed) => landscape(seed, 27, false),
  "27 genes, rotated": (seed) => landscape(seed, 27, true),
  "117 genes": (seed) => landscape(seed, 117, false),
  "117 genes, rotated": (seed) => landscape(seed, 117, true),
};

type Create = (options: OptimizerOptions) => Optimizer;

const optimizers: Readonly<Record<string, Create>> = {
  "CMA-ES": (options) => new BoundedCmaEs(options),
  "sep-CMA-ES": (options) => new BoundedCmaEs(options, separable),
  "gradient walk": (options) => new GradientWalk(options),
  "4 lineages": (options) => new Lineages(options),
  "4 lineages, passes of one": (options) => new Lineages(options),
};

console.log(`${machine()}; ${seeds.length} seeds, ${fraction} of the rows a generation`);
console.log("excess loss at the recommended point over that of the start, medians, by evaluations on all rows\n");
for (const [name, make] of Object.entries(landscapes)) {
  const lines = Object.entries(optimizers).map(([optimizer, create]) => [
    optimizer,
    ...BUDGETS.map((budget) => {
      const share = optimizer.endsWith("of one") ? 4 : 1;
      return median(seeds.map((seed) => reached(make(seed), create, budget, share, seed))).toFixed(4);
    }),
  ]);
  console.log(alignedText({ header: [name, ...BUDGETS.map(String)], rows: lines }));
  console.log();
}

/** The part of the start's excess loss that is left. */
function reached(where: Landscape, create: Create, budget: number, share: number, seed: number): number {
  const { dimension } = where;
  const start = new Float64Array(dimension).fill(0.5);
  const sigma = (0.1 / 1.5) * Math.min(1, Math.sqrt(27 / dimension));
  const optimizer = create({ start, sigma, seed });
  const random = RandomStream.of(seed, "rows");
  for (let spent = 0; ;) {
    const candidates = optimizer.ask();
    const cost = candidates.reduce((sum, { wantsGradient }) => sum + (wantsGradient ? GRADIENT_COST : 1), 0);
    spent += (cost * fraction) / share;
    if (spent > budget * (1 + 1e-9)) break;
    const rows = random.sample([...where.offsets.keys()], Math.round(fraction * ROWS));
    const offset = mean(rows.map((row) => where.offsets[row]!));
    optimizer.tell(
      candidates.map((candidate) => score(where, candidate, offset)),
      spent / budget,
    );
  }
  // Of rows without end, not of those that were drawn.
  const truth = new Float64Array(dimension);
  return lossAt(where, optimizer.recommend(), truth) / lossAt(where, start, truth);
}

function landscape(seed: number, dimension: number, isRotated: boolean): Landscape {
  const random = RandomStream.of(seed, "landscape", dimension);
  const vector = (scale: number): Float64Array => new Float64Array(dimension).map(() => scale * random.normal());
  return {
    dimension,
    // Some of the best coefficients lie beyond the bounds.
    best: vector(0.3).map((value) => 0.5 + value),
    offsets: Array.from({ length: ROWS }, () => vector(1)),
    curvature: new Float64Array(dimension).map(() => 10 ** (2 * random.uniform() - 1)),
    axes: isRotated ? orthogonal(dimension, random) : undefined,
  };
}

function score(where: Landscape, { point, wantsGradient }: Candidate, offset: Float64Array): { loss: number } {
  return {
    loss: lossAt(where, point, offset),
    ...(wantsGradient && { gradient: gradientAt(where, point, offset) }),
  };
}

function lossAt({ axes, best, curvature }: Landscape, x: Float64Array, offset: Float64Array): number {
  const away = along(
    axes,
    x.map((value, j) => value - best[j]! - offset[j]!),
  );
  return away.reduce((sum, value, j) => sum + (curvature[j]! * value * value) / 2, 0);
}

function gradientAt({ axes, best, curvature }: Landscape, x: Float64Array, offset: Float64Array): Float64Array {
  const pull = along(
    axes,
    x.map((value, j) => value - best[j]! - offset[j]!),
  ).map((value, j) => curvature[j]! * value);
  if (!axes) return pull;
  return x.map((_, j) => axes.reduce((sum, axis, k) => sum + axis[j]! * pull[k]!, 0));
}

function along(axes: readonly Float64Array[] | undefined, x: Float64Array): Float64Array {
  return axes ? Float64Array.from(axes, (axis) => dot(axis, x)) : x;
}

function mean(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let j = 0; j < sum.length; j++) sum[j]! += vector[j]! / vectors.length;
  return sum;
}

/** Gram-Schmidt on normal vectors. */
function orthogonal(n: number, random: RandomStream): Float64Array[] {
  const rows: Float64Array[] = [];
  while (rows.length < n) {
    const row = new Float64Array(n).map(() => random.normal());
    for (const earlier of rows) {
      const share = dot(earlier, row);
      for (let j = 0; j < n; j++) row[j]! -= share * earlier[j]!;
    }
    const length = Math.sqrt(dot(row, row));
    rows.push(row.map((value) => value / length));
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + value * b[j]!, 0);
}
