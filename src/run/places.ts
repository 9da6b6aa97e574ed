/**
 * Where the models and rows of a recorded run are. Paths are recorded relative to the run's folder, so that a project may be
 * moved as a whole or mounted elsewhere; beside them the folder itself, so that the run's folder may be moved alone.
 */
import { existsSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import { mapPaths, type PathUse } from "../experiment/experiment-paths.ts";
import type { MovedPlaces } from "../journal/records.ts";

/** The experiment as a journal in this folder records it. */
export function recordedPaths(folder: string, experiment: Experiment): Experiment {
  const run = resolve(folder);
  return mapPaths(experiment, (path) => recordedPath(run, path));
}

/** Relative with slashes where the two share a folder below the root, else absolute. */
function recordedPath(run: string, path: string): string {
  const steps = relative(run, path).split(sep);
  const isOutside = steps.filter((step) => step === "..").length >= run.split(sep).filter(Boolean).length;
  if (isAbsolute(steps.join(sep)) || isOutside) return path;
  return steps[0] === ".." ? steps.join("/") : [".", ...steps].join("/");
}

/** A recorded experiment seen from where the run is now or, for what is not found from there, from where it was then. */
export function located(
  experiment: Experiment,
  { from, to }: { readonly from: string; readonly to: string },
): Experiment {
  return mapPaths(experiment, (path) => {
    const here = resolve(to, path);
    return existsSync(here) ? here : resolve(from, path);
  });
}

/** The experiment with models and rows where they are said to be; a UserError for a name that it does not have. */
export function withPlaces(
  folder: string,
  experiment: Experiment,
  { base, experts = {}, rows = {}, guard = {} }: MovedPlaces,
): Experiment {
  const { tasks } = experiment;
  checkNames(folder, "expert", Object.keys(experts), experiment.experts);
  checkNames(folder, "task", Object.keys(rows), tasks);
  checkNames(
    folder,
    "task with guard rows of its own",
    Object.keys(guard),
    tasks.filter((task) => task.guard),
  );
  return {
    ...experiment,
    base: base ?? experiment.base,
    experts: experiment.experts.map(({ name, path }) => ({ name, path: experts[name] ?? path })),
    tasks: tasks.map((task) => ({
      ...task,
      rows: rows[task.name] ?? task.rows,
      ...(task.guard && { guard: guard[task.name] ?? task.guard }),
    })),
  };
}

/** A UserError that names the option to give for the first of the needed folders and files that is not there. */
export function requirePlaces(
  folder: string,
  experiment: Experiment,
  isNeeded: (use: PathUse) => boolean = () => true,
): void {
  mapPaths(experiment, (path, use) => {
    if (!isNeeded(use) || existsSync(path)) return path;
    throw new UserError(`${folder}: ${use.what}: nothing is at ${path}; if it was moved, say where with ${use.option}`);
  });
}

function checkNames(
  folder: string,
  what: string,
  found: readonly string[],
  known: readonly { readonly name: string }[],
): void {
  const names = known.map(({ name }) => name);
  const unknown = found.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new UserError(
    `${folder}: the run has no ${what} "${unknown}"; expected ${names.length === 0 ? "none" : names.join(", ")}`,
  );
}
