import { BoundedCmaEs } from "./bounded-cma-es.ts";
import type { CovarianceModel } from "./cma-es.ts";
import { GradientWalk } from "./gradient-walk.ts";
import { DEFAULT_LINEAGES, Lineages } from "./lineages.ts";
import { MixedEvolution } from "./mixed-evolution.ts";
import { Nsga2 } from "./nsga2.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";
import { RandomSearch } from "./random-search.ts";
import { Restarts } from "./restarts.ts";
import { Scalarised } from "./scalarised.ts";
import { separable } from "./sep-cma-es.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";
import { countWeighings } from "./weighings.ts";

export type OptimizerName =
  | "cma-es"
  | "sep-cma-es"
  | "mixed-evolution"
  | "random"
  | "gradient-walk"
  | "lineages"
  | "front-walk"
  | "nsga2";

/**
 * The one that an experiment has unless it names another: every merge method has derivatives by its coefficients, and a walk by
 * them finds more for less work than all others (bench/RESULTS.md, Steering).
 */
const AUTO: OptimizerName = "gradient-walk";

/** The same where points choose between values, by which there are no derivatives. */
const AUTO_WITH_LEVELS: OptimizerName = "mixed-evolution";

/** The optimizer that a name in an experiment stands for; any other name is that of a plugin's. */
export function namedOptimizer<Other extends string = never>(
  name: OptimizerName | Other | "auto",
  hasLevels = false,
): OptimizerName | Other {
  if (name !== "auto") return name;
  return hasLevels ? AUTO_WITH_LEVELS : AUTO;
}

/** An optimizer, and what a search by it has to know of it. */
export interface OptimizerKind {
  readonly create: (options: OptimizerOptions) => Optimizer;
  /** Its `populationSize` unless one is given; one point alone where it has none, walks as many as weigh the objectives evenly. */
  readonly population: ((dimension: number) => number) | "one point" | "weighings";
  /** What its reference is where that is beside the population and only shows where the search is. */
  readonly beside?: "mean" | "best so far";
  /** Whether candidates want gradients: all of them, or none. */
  readonly usesGradients: boolean;
  /**
   * Of one that takes tasks for objectives of their own: what it goes on with from one generation to the next. Walks each have a weighing of the
   * tasks; survivors are compared with what is scored later, so that all generations meet the same rows.
   */
  readonly front?: "walks" | "survivors";
}

/** So many genes take CMA-ES more generations than any budget has to learn all their covariances, and 60 ms for each. */
const LARGE_GENOME = 300;

const evolution = { population: defaultPopulationSize, beside: "mean", usesGradients: false } as const;
const byGradient = { usesGradients: true } as const;

/** Forward passes over its rows that a candidate with a gradient is counted as, and taken for before one was timed. */
export const GRADIENT_PASSES = 4;

/** Every optimizer that an experiment can name. */
export const optimizers: Readonly<Record<OptimizerName, OptimizerKind>> = {
  "cma-es": {
    ...evolution,
    create: (options) => cmaEs(options, options.start.length > LARGE_GENOME ? separable : undefined),
  },
  "sep-cma-es": { ...evolution, create: (options) => cmaEs(options, separable) },
  "mixed-evolution": { ...evolution, beside: "best so far", create: (options) => new MixedEvolution(options) },
  random: { ...evolution, beside: "best so far", create: (options) => new RandomSearch(options) },
  "gradient-walk": { ...byGradient, population: "one point", create: (options) => new GradientWalk(options) },
  lineages: { ...byGradient, population: () => DEFAULT_LINEAGES, create: (options) => new Lineages(options) },
  "front-walk": {
    ...byGradient,
    front: "walks",
    population: "weighings",
    create: (options) => new Scalarised(options, (own) => new GradientWalk(own)),
  },
  nsga2: { ...evolution, beside: "best so far", front: "survivors", create: (options) => new Nsga2(options) },
};

/** The `populationSize` of an optimizer, by that which is given, if one is. */
export function populationSizeOf(
  { population }: Pick<OptimizerKind, "population">,
  {
    dimension,
    objectives,
    given,
  }: { readonly dimension: number; readonly objectives: number; readonly given?: number },
): number {
  if (population === "one point") return 1;
  if (population === "weighings") return countWeighings(objectives, given);
  return given ?? population(dimension);
}

/** What a journal names; undefined where this version has no such optimizer, as of plugins. */
export function recordedOptimizer(name: string): OptimizerKind | undefined {
  return Object.hasOwn(optimizers, name) ? optimizers[name as OptimizerName] : undefined;
}

function cmaEs(options: OptimizerOptions, model?: CovarianceModel): Optimizer {
  return new Restarts(options, (own) => new BoundedCmaEs(own, model));
}
