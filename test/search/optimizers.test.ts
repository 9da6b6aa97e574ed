import { expect, test } from "vitest";
import type { Candidate } from "../../src/search/optimizer.ts";
import { optimizers, type OptimizerName } from "../../src/search/optimizers.ts";
import { distanceTo, run } from "./landscapes.ts";
import { describeOptimizer } from "./optimizer-contract.ts";

const accuracies: Readonly<Record<OptimizerName, number>> = {
  "cma-es": 1e-3,
  "sep-cma-es": 1e-3,
  "mixed-evolution": 0.01,
  random: 0.1,
  "gradient-walk": 0.01,
  lineages: 0.01,
  "front-walk": 0.01,
  nsga2: 0.01,
};

for (const name of Object.keys(optimizers) as OptimizerName[]) {
  const { create, population, beside, usesGradients } = optimizers[name];
  // Of one objective there is one weighing.
  const hasPopulation = typeof population === "function";
  describeOptimizer(name, create, {
    accuracy: accuracies[name],
    firstSize: (n) => (hasPopulation ? population(n) : 1) + (beside ? 1 : 0),
    usesGradients,
    hasPopulation,
  });
}

test("CMA-ES is separable above 300 genes", () => {
  expect(asked("cma-es", 301)).toEqual(asked("sep-cma-es", 301));
  expect(asked("cma-es", 300)).not.toEqual(asked("sep-cma-es", 300));
});

/** What an optimizer asks of a genome of that size. */
function asked(name: OptimizerName, genes: number): readonly (readonly Candidate[])[] {
  const start = new Float64Array(genes).fill(0.5);
  return run(optimizers[name].create({ start, sigma: 0.1, seed: 1 }), distanceTo(0.3), 4);
}
