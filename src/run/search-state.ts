import { optimizers } from "../search/optimizers.ts";
import type { Optimizer } from "../search/optimizer.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import type { Session } from "./session.ts";

/** A search as far as it has come; another budget goes on from here. */
export interface SearchState {
  readonly optimizer: Optimizer;
  /** The mean of the distribution after every generation. */
  readonly means: Float64Array[];
  /** Points of the next generation, where they were asked and time ran out before they were scored. */
  asked: readonly Float64Array[] | undefined;
  /** Wall-clock time of one model on all search rows, in the slowest moment so far. */
  evaluationMs: number;
  /** Wall-clock time of the last generation of this sitting; 0 before it. */
  lastMs: number;
}

/** A search before its first generation. */
export function beginSearch({ experiment, genome }: Session, plan: Plan, scored: ScoredBaselines): SearchState {
  const optimizer = optimizers[experiment.search.algorithm]({
    start: Float64Array.from(plan.start),
    sigma: genome.sigma,
    scales: genome.scales,
    populationSize: plan.population,
    seed: experiment.seed,
    inject: plan.inject.map((point) => Float64Array.from(point)),
  });
  return { optimizer, means: [], asked: undefined, evaluationMs: scored.evaluationMs, lastMs: 0 };
}
