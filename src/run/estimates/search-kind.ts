import type { Optimizer } from "../../search/optimizer.ts";
import { UserError } from "../../errors.ts";
import type { PluginName } from "../../files/plugin-name.ts";
import { optimizerNamed } from "../../plugins/load-plugins.ts";
import {
  GRADIENT_PASSES,
  namedOptimizer,
  type OptimizerKind,
  type OptimizerName,
  populationSizeOf,
  recordedOptimizer,
} from "../../search/optimizers.ts";
import type { Session } from "../session/session.ts";

type Searched = Pick<Session, "experiment" | "genome" | "plugins">;

/** What the candidates of a generation cost. */
export interface GenerationKind {
  /** All of them, the references included where there are some. */
  readonly candidates: number;
  readonly usesGradients: boolean;
}

/** The optimizer of a run. */
export function algorithmOf({ experiment }: Pick<Session, "experiment">): OptimizerName | PluginName {
  return namedOptimizer(experiment.search.algorithm, experiment.space.method === "stack");
}

/** What that name stands for; a UserError where it is one of a plugin that does not provide it. */
export function optimizerOf(session: Pick<Session, "experiment" | "plugins">): OptimizerKind {
  const name = algorithmOf(session);
  const found = optimizerNamed(name, session.plugins);
  if (found) return found;
  throw new UserError(`search.algorithm: expected an optimizer of the experiment's plugins, found ${name}`);
}

/** Candidates of a first generation beside the mean, if there is one. */
export function populationOf({ experiment, genome, plugins }: Searched): number {
  const { population: given } = experiment.search;
  return populationSizeOf(optimizerOf({ experiment, plugins }), {
    dimension: genome.dimension,
    objectives: experiment.tasks.length,
    ...(given !== "auto" && { given }),
  });
}

/** What it goes on with from one generation to the next, which none of a plugin says, where tasks are objectives of their own. */
export function frontKindOf(session: Pick<Session, "experiment">): "walks" | "survivors" | undefined {
  return recordedOptimizer(algorithmOf(session))?.front;
}

/** The next generation of a search, which grows where it begins again; the first one where there is no search yet. */
export function generationKind(session: Searched, optimizer?: Pick<Optimizer, "candidates">): GenerationKind {
  const { beside, usesGradients } = optimizerOf(session);
  return { candidates: optimizer?.candidates ?? populationOf(session) + (beside ? 1 : 0), usesGradients };
}

/** What a budget of evaluations counts a generation as. */
export function evaluationsIn({ candidates, usesGradients }: GenerationKind): number {
  return candidates * (usesGradients ? GRADIENT_PASSES : 1);
}
