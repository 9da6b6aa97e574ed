import { parseReference } from "../hub/api/reference.ts";
import { BASE } from "./workspace.ts";
import type { Experiment, RowSource } from "./experiment-file.ts";

/** What a path of an experiment is for, and the option of the command line that says where it is now. */
export interface PathUse {
  /** The model whose folder it is; absent for rows. */
  readonly model?: string;
  /** Such as `expert craft`. */
  readonly what: string;
  /** Such as `--expert craft=<folder>`. */
  readonly option: string;
}

/** The experiment with other paths of folders and files; names on the Hub stay. */
export function mapPaths(experiment: Experiment, change: (path: string, use: PathUse) => string): Experiment {
  const model = (path: string, use: PathUse): string => (parseReference(path) ? path : change(path, use));
  const rows = (source: RowSource, use: PathUse): RowSource =>
    "dataset" in source ? source : source.map((path) => change(path, use));
  return {
    ...experiment,
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
