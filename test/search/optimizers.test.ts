import { optimizers, type OptimizerName } from "../../src/search/optimizers.ts";
import { describeOptimizer } from "./optimizer-contract.ts";

const accuracies: Readonly<Record<OptimizerName, number>> = { "cma-es": 1e-3, random: 0.1 };

for (const name of Object.keys(optimizers) as OptimizerName[]) {
  describeOptimizer(name, optimizers[name], accuracies[name]);
}
