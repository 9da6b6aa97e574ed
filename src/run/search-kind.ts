import type { Optimizer } from "../search/optimizer.ts";
import {
  GRADIENT_PASSES,
  namedOptimizer,
  type OptimizerName,
  optimizers,
  populationSizeOf,
} from "../search/optimizers.ts";
import type { Session } from "./session.ts";

type Searched = Pick<Session, "experiment" | "genome">;

/** What the candidates of a generation cost. */
export interface GenerationKind {
  /** All of them, the references included where there are some. */
  readonly candidates: number;
  readonly usesGradients: boolean;
}

/** The optimizer of a run. */
export function algorithmOf({ experiment }: Pick<Session, "experiment">): OptimizerName {
  return namedOptimizer(experiment.search.algorithm, experiment.space.method === "stack");
}

/** Candidates of a first generation beside the mean, if there is one. */
export function populationOf({ experiment, genome }: Searched): number {
  const { population: given } = experiment.search;
  return populationSizeOf(optimizers[algorithmOf({ experiment })], {
    dimension: genome.dimension,
    objectives: experiment.tasks.length,
    ...(given !== "auto" && { given }),
  });
}

/** What it goes on with from one generation to the next, where tasks are objectives of their own. */
export function frontKindOf(session: Pick<Session, "experiment">): "walks" | "survivors" | undefined {
  return optimizers[algorithmOf(session)].front;
}

/** The next generation of a search, which grows where it begins again; the first one where there is no search yet. */
export function generationKind(session: Searched, optimizer?: Pick<Optimizer, "candidates">): GenerationKind {
  const { beside, usesGradients } = optimizers[algorithmOf(session)];
  return { candidates: optimizer?.candidates ?? populationOf(session) + (beside ? 1 : 0), usesGradients };
}

/** What a budget of evaluations counts a generation as. */
export function evaluationsIn({ candidates, usesGradients }: GenerationKind): number {
  return candidates * (usesGradients ? GRADIENT_PASSES : 1);
}
