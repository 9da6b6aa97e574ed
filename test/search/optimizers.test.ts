import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { Lineages } from "../../src/search/lineages.ts";
import { optimizers, type OptimizerName } from "../../src/search/optimizers.ts";
import { defaultPopulationSize } from "../../src/search/strategy-parameters.ts";
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
