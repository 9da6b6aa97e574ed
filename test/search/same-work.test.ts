import { describe, expect, test } from "vitest";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { Lineages } from "../../src/search/lineages.ts";
import type { Optimizer, OptimizerOptions } from "../../src/search/optimizer.ts";
import { optimizers } from "../../src/search/optimizers.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { type Landscape, scoresOf } from "./landscapes.ts";
import { ellipsoid, rotated } from "./test-functions.ts";

const DIMENSION = 20;
const GRADIENT_WORK = 4;
/** In losses. */
const WORK = 400;

/** Of the coordinates in a loss. */
const WEIGHTS = Array.from({ length: DIMENSION }, (_, j) => 100 ** (j / (DIMENSION - 1)));

/** What a coordinate becomes before its loss is taken: as genes are mixed into coefficients, which are folded at a bound. */
interface Shape {
  readonly value: (x: Float64Array, j: number) => number;
  /** Adds `slope` times the derivatives of the value. */
  readonly add: (x: Float64Array, j: number, slope: number, gradient: Float64Array) => void;
}

const plain: Shape = { value: (x, j) => x[j]!, add: (_, j, slope, gradient) => void (gradient[j]! += slope) };

const mixed = (x: Float64Array, j: number): number => x[j]! + 0.8 * (x[(j + 1) % DIMENSION]! - 0.5);
const folded: Shape = {
  value: (x, j) => Math.min(Math.abs(mixed(x, j)), 2 - Math.abs(mixed(x, j))),
  add: (x, j, slope, gradient) => {
    const sign = mixed(x, j) < 0 || mixed(x, j) > 1 ? -1 : 1;
    gradient[j]! += sign * slope;
    gradient[(j + 1) % DIMENSION]! += 0.8 * sign * slope;
  },
};

/** Squared distances from a point, weighted from 1 to 100, that a generation's rows see `away` from where it is. */
function quadratic({ value, add }: Shape, away: Float64Array): Landscape {
  const errors = (x: Float64Array): Float64Array => x.map((_, j) => value(x, j) - 0.3 - away[j]!);
  return {
    loss: (x) => errors(x).reduce((sum, error, j) => sum + WEIGHTS[j]! * error * error, 0),
    gradient: (x) => {
      const gradient = new Float64Array(DIMENSION);
      for (const [j, error] of errors(x).entries()) add(x, j, 2 * WEIGHTS[j]! * error, gradient);
      return gradient;
    },
  };
}

const squares = rotated((x) => ellipsoid(x.map((value) => value / 1000)), DIMENSION);

/** An ellipsoid whose axes are not those of the coordinates. */
function turned(away: Float64Array): Landscape {
  const loss = (x: Float64Array): number => squares(x.map((value, j) => value - 0.3 - away[j]!));
  // Central differences are exact of a quadratic, up to rounding.
  const gradient = (x: Float64Array): Float64Array =>
    x.map((value, j) => loss(x.with(j, value + 0.5)) - loss(x.with(j, value - 0.5)));
  return { loss, gradient };
}

const landscapes: Readonly<Record<string, (away: Float64Array) => Landscape>> = {
  quadratic: (away) => quadratic(plain, away),
  "quadratic with folds": (away) => quadratic(folded, away),
  "rotated ellipsoid": turned,
};

describe.each(Object.entries(landscapes))("on a noisy %s", (_, landscape) => {
  test("walks by gradient come nearer than CMA-ES by the same work", () => {
    const [byLosses, byWalk, byLineages] = [optimizers["cma-es"].create, walk, lineages].map((create) => {
      const losses = Array.from({ length: 5 }, (_, seed) => reached(create, landscape, seed));
      return losses.toSorted((a, b) => a - b)[2]!;
    });
    expect(byWalk).toBeLessThan(0.5 * byLosses!);
    expect(byLineages).toBeLessThan(byLosses!);
  });
});

function walk(options: OptimizerOptions): Optimizer {
  return new GradientWalk(options);
}

function lineages(options: OptimizerOptions): Optimizer {
  return new Lineages(options);
}

/** The loss, without noise, of the point that an optimizer recommends. */
function reached(
  create: (options: OptimizerOptions) => Optimizer,
  landscape: (away: Float64Array) => Landscape,
  seed: number,
): number {
  const random = RandomStream.of(seed, "rows");
  const start = new Float64Array(DIMENSION).fill(0.6);
  const optimizer = create({ start, sigma: 1 / 15, seed });
  for (let work = 0; ;) {
    const candidates = optimizer.ask();
    work += candidates.reduce((sum, { wantsGradient }) => sum + (wantsGradient ? GRADIENT_WORK : 1), 0);
    if (work > WORK) break;
    const away = start.map(() => 0.05 * random.normal());
    optimizer.tell(scoresOf(candidates, landscape(away)), work / WORK);
  }
  return landscape(new Float64Array(DIMENSION)).loss(optimizer.recommend());
}
