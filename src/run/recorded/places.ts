/**
 * Where the models and rows of a recorded run are. Paths are recorded relative to the run's folder, so that a project may be
 * moved as a whole or mounted elsewhere; beside them the folder itself, so that the run's folder may be moved alone.
 */
import { existsSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { MissingPlaces, UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { isOnHub, mapPaths, mapPlaces, type PathUse } from "../../experiment/experiment-paths.ts";
import { realPath } from "../../files/real-path.ts";
import { shellWord } from "../../files/shell-word.ts";
import type { MovedPlaces } from "../../journal/records.ts";

/** The experiment as a journal in this folder records it. */
export function recordedPaths(folder: string, experiment: Experiment): Experiment {
  const run = realPath(folder);
  const { start } = experiment;
  return {
    ...mapPaths(experiment, (path) => recordedPath(run, path)),
    ...(start && { start: { ...start, run: recordedPath(run, start.run) } }),
  };
}

/**
 * Relative with slashes where the two share a folder below the root, else absolute. The run's folder is without links; a path
 * keeps its own unless it is farther from the run with them.
 */
function recordedPath(run: string, path: string): string {
  const [asGiven, real] = [path, realPath(path)].map((one) => relative(run, one).split(sep));
  if (!asGiven || !real) return path;
  const steps = stepsUp(real) < stepsUp(asGiven) ? real : asGiven;
  if (isAbsolute(steps.join(sep)) || stepsUp(steps) >= run.split(sep).filter(Boolean).length) return path;
  return steps[0] === ".." ? steps.join("/") : [".", ...steps].join("/");
}

function stepsUp(steps: readonly string[]): number {
  return steps.filter((step) => step === "..").length;
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

/** A UserError that names all of the needed folders and files that are not there, and the options to say where they are. */
export function requirePlaces(
  folder: string,
  experiment: Experiment,
  isNeeded: (use: PathUse) => boolean = () => true,
): void {
  const missing: string[] = [];
  const placeholders: string[] = [];
  const options: string[] = [];
  mapPlaces(experiment, (paths, use) => {
    const away = paths.filter((path) => !isOnHub(path, use) && !existsSync(path));
    if (away.length === 0 || !isNeeded(use)) return paths;
    if (use.isPlugin)
      throw new UserError(
        `${folder}: nothing is at ${away.join(", ")}, where the run had its ${use.what}; put it back`,
      );
    missing.push(...away.map((path) => `${path} (${use.what})`));
    placeholders.push(use.option);
    options.push(...paths.map((path) => optionFor(use, path)));
    return paths;
  });
  if (missing.length === 0) return;
  const [them, were] = missing.length === 1 ? ["it", "was"] : ["they", "were"];
  throw new MissingPlaces(
    `${folder}: nothing is at ${missing.join(", ")}; if ${them} ${were} moved, say where with ${placeholders.join(" ")}`,
    { folder, options },
  );
}

/** The option that says that something is at a path, as words of a shell. */
export function optionFor({ option }: PathUse, path: string): string {
  const [name = "", value = ""] = option.split(" ");
  return `${name} ${shellWord(value.replace(/<\w+>$/, () => path))}`;
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
