import { BoundedCmaEs } from "./bounded-cma-es.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";
import { RandomSearch } from "./random-search.ts";

export type OptimizerName = "cma-es" | "random";

/** Every optimizer that an experiment can name. */
export const optimizers: Readonly<Record<OptimizerName, (options: OptimizerOptions) => Optimizer>> = {
  "cma-es": (options) => new BoundedCmaEs(options),
  random: (options) => new RandomSearch(options),
};
