import type { Experiment } from "../experiment/experiment.ts";
import { BASE } from "../experiment/the-base.ts";
import { parseReference } from "../hub/api/reference.ts";

/**
 * An experiment for readers elsewhere: a model that is a folder of this machine goes by its name in the recipe, one of
 * the Hub by its name there.
 */
export function withoutFolders<T extends Pick<Experiment, "base" | "experts">>(experiment: T): T {
  return {
    ...experiment,
    base: elsewhere(experiment.base, BASE),
    experts: experiment.experts.map(({ name, path }) => ({ name, path: elsewhere(path, name) })),
  };
}

function elsewhere(path: string, name: string): string {
  return parseReference(path) ? path : name;
}
