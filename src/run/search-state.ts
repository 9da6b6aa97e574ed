import type { Selection } from "../evaluate/evaluator.ts";
import type { LossesRef } from "../journal/records.ts";
import { optimizers } from "../search/optimizers.ts";
import type { Candidate, Optimizer } from "../search/optimizer.ts";
import type { Plan } from "./plan-search.ts";
import type { Session } from "./session.ts";

/** A point that was scored as the mean of the distribution, and where its losses are. */
export interface ScoredMean {
  readonly point: Float64Array;
  readonly rows: Selection;
  readonly loss: number;
  /** By candidate, the mean last. */
  readonly rowLosses: LossesRef;
}

/** A search as far as it has come; another budget goes on from here. */
export interface SearchState {
  readonly optimizer: Optimizer;
  /** The mean of the distribution after every generation. */
  readonly means: Float64Array[];
  /** The mean that the last generation was scored with. */
  lastScored: ScoredMean | undefined;
  /** The next generation, where it was asked and time ran out before it was scored. */
  asked: readonly Candidate[] | undefined;
  /** Generations, up to the last one, of which all candidates had nearly the same loss. */
  flat: number;
}

/** A search before its first generation. */
export function beginSearch({ experiment, genome }: Session, plan: Plan): SearchState {
  const optimizer = optimizers[experiment.search.algorithm]({
    start: Float64Array.from(plan.start),
    sigma: genome.sigma,
    scales: genome.scales,
    populationSize: plan.population,
    seed: experiment.seed,
    rates: genome.rates,
    inject: plan.inject.map((point) => Float64Array.from(point)),
  });
  return { optimizer, means: [], lastScored: undefined, asked: undefined, flat: 0 };
}
