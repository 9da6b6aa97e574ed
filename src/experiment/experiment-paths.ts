import { parseReference } from "../hub/api/reference.ts";
import { BASE } from "./the-base.ts";
import type { Experiment, RowSource } from "./experiment.ts";

/** What a path of an experiment is for, and the option of the command line that says where it is now. */
export interface PathUse {
  /** The model whose folder it is; absent for rows. */
  readonly model?: string;
  /** Such as `expert craft`. */
  readonly what: string;
  /** Such as `--expert craft=<folder>`. */
  readonly option: string;
  /** No option says where a plugin is: it is to be where it was, as seen from the run or at all. */
  readonly isPlugin?: true;
}

/** A path is of a folder or file unless it names a model of the Hub. */
export function isOnHub(path: string, { model }: PathUse): boolean {
  return model !== undefined && parseReference(path) !== undefined;
}

/** The experiment with other paths of folders and files; names on the Hub stay. */
export function mapPaths(experiment: Experiment, change: (path: string, use: PathUse) => string): Experiment {
  return mapPlaces(experiment, (paths, use) => paths.map((path) => (isOnHub(path, use) ? path : change(path, use))));
}

/** The experiment with other places: a model is at one path or name of the Hub, rows are in files. Datasets stay. */
export function mapPlaces(
  experiment: Experiment,
  change: (paths: readonly string[], use: PathUse) => readonly string[],
): Experiment {
  const model = (path: string, use: PathUse): string => change([path], use)[0] ?? path;
  const rows = (source: RowSource, use: PathUse): RowSource =>
    "dataset" in source ? source : [...change(source, use)];
  return {
    ...experiment,
    ...(experiment.plugins && {
      plugins: experiment.plugins.map(({ name, path }) => ({
        name,
        path: model(path, { isPlugin: true, what: `plugin ${name}`, option: `plugin ${name}` }),
      })),
    }),
    base: model(experiment.base, { model: BASE, what: "base", option: "--base <folder>" }),
    experts: experiment.experts.map(({ name, path }) => ({
      name,
      path: model(path, { model: name, what: `expert ${name}`, option: `--expert ${name}=<folder>` }),
    })),
    tasks: experiment.tasks.map((task) => ({
      ...task,
      rows: rows(task.rows, { what: `rows of ${task.name}`, option: `--rows ${task.name}=<file>` }),
      ...(task.guard && {
        guard: rows(task.guard, { what: `guard rows of ${task.name}`, option: `--guard ${task.name}=<file>` }),
      }),
    })),
  };
}
