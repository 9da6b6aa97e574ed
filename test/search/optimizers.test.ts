import { expect, test } from "vitest";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { Lineages } from "../../src/search/lineages.ts";
import type { Candidate } from "../../src/search/optimizer.ts";
import { optimizers, type OptimizerName } from "../../src/search/optimizers.ts";
import { defaultPopulationSize } from "../../src/search/strategy-parameters.ts";
import { distanceTo, run } from "./landscapes.ts";
import { describeOptimizer } from "./optimizer-contract.ts";

const accuracies: Readonly<Record<OptimizerName, number>> = { "cma-es": 1e-3, "sep-cma-es": 1e-3, random: 0.1 };

for (const name of Object.keys(optimizers) as OptimizerName[]) {
  describeOptimizer(name, optimizers[name], {
    accuracy: accuracies[name],
    size: (n) => defaultPopulationSize(n) + 1,
    usesGradients: false,
    hasPopulation: true,
  });
}

test("CMA-ES is separable above 300 genes", () => {
  expect(asked("cma-es", 301)).toEqual(asked("sep-cma-es", 301));
  expect(asked("cma-es", 300)).not.toEqual(asked("sep-cma-es", 300));
});

const byGradient = { accuracy: 0.01, usesGradients: true };

describeOptimizer("gradient walk", (options) => new GradientWalk(options), {
  ...byGradient,
  size: () => 1,
  hasPopulation: false,
});

describeOptimizer("lineages", (options) => new Lineages(options), {
  ...byGradient,
  size: () => 4,
  hasPopulation: true,
});

/** What an optimizer asks of a genome of that size. */
function asked(name: OptimizerName, genes: number): readonly (readonly Candidate[])[] {
  const start = new Float64Array(genes).fill(0.5);
  return run(optimizers[name]({ start, sigma: 0.1, seed: 1 }), distanceTo(0.3), 4);
}
