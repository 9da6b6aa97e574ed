import { BoundedCmaEs } from "./bounded-cma-es.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";
import { RandomSearch } from "./random-search.ts";
import { separable } from "./sep-cma-es.ts";

export type OptimizerName = "cma-es" | "sep-cma-es" | "random";

/** So many genes take CMA-ES more generations than any budget has to learn all their covariances, and 60 ms for each. */
const LARGE_GENOME = 300;

/** Every optimizer that an experiment can name. */
export const optimizers: Readonly<Record<OptimizerName, (options: OptimizerOptions) => Optimizer>> = {
  "cma-es": (options) => new BoundedCmaEs(options, options.start.length > LARGE_GENOME ? separable : undefined),
  "sep-cma-es": (options) => new BoundedCmaEs(options, separable),
  random: (options) => new RandomSearch(options),
};
