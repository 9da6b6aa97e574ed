import type { JournalView } from "../../journal/journal.ts";
import type { Optimizer } from "../../search/optimizer.ts";
import { divided } from "../../tensor/float64.ts";
import { learntStart } from "./learnt-start.ts";
import { sharesIn } from "../session/objective.ts";
import type { Plan } from "./plan-search.ts";
import { optimizerOf, populationOf } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";

/** The optimizer of a search, before its first generation. */
export function createOptimizer(
  searched: Pick<Session, "experiment" | "genome" | "plugins">,
  plan: Pick<Plan, "start" | "inject">,
  view: Pick<JournalView, "readPoints">,
): Optimizer {
  const { experiment, genome } = searched;
  const covariance = learntStart(searched)?.covariance;
  return optimizerOf(searched).create({
    start: view.readPoints(plan.start),
    sigma: genome.sigma,
    scales: genome.scales,
    populationSize: populationOf(searched),
    seed: experiment.seed,
    rates: genome.rates,
    objectives: sharesIn(experiment.tasks),
    ...(genome.levels && { levels: genome.levels }),
    ...(covariance && { covariance }),
    inject: plan.inject ? divided(view.readPoints(plan.inject), genome.dimension) : [],
  });
}
