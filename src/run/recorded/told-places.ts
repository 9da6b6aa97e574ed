/** Where the journal of a run says that its models and rows were, at each time that it says so. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Experiment } from "../../experiment/experiment.ts";
import { isOnHub, mapPlaces, type PathUse } from "../../experiment/experiment-paths.ts";
import { recordedExperiment } from "../../experiment/recorded-experiment.ts";
import { realPath } from "../../files/real-path.ts";
import type { JournalRecord } from "../../journal/records.ts";
import { withPlaces } from "./places.ts";

/** An experiment as it is recorded, and the folder that the run was in then: there, all of it was what the run began with. */
export interface Telling {
  readonly experiment: Experiment;
  readonly folder: string;
}

/** By option of the command line: the paths of a model's folder or of a source of rows. */
type Places = ReadonlyMap<string, readonly string[]>;

/** All of them, the last first. */
export function tellingsOf(folder: string, records: readonly JournalRecord[]): readonly [Telling, ...Telling[]] {
  const [start] = records;
  if (start?.type !== "start") return [{ experiment: recordedExperiment(folder, undefined), folder }];
  let last: Telling = { experiment: recordedExperiment(folder, start.experiment), folder: start.folder };
  const earlier: Telling[] = [];
  for (const record of records) {
    if (record.type !== "moved") continue;
    earlier.unshift(last);
    last = { experiment: withPlaces(folder, last.experiment, record), folder: record.folder };
  }
  return [last, ...earlier];
}

/**
 * The experiment with models and rows where they are: seen from the run's folder as it is now or else from one that it was
 * in, at the last place that was told or else at an earlier one. What is nowhere is said to be where it was last.
 */
export function located(told: readonly [Telling, ...Telling[]], folder: string): Experiment {
  const [last] = told;
  const candidates = candidatesOf(told, folder);
  return mapPlaces(last.experiment, (paths, use) => {
    const found = candidates.find((places) => isThere(places.get(use.option), use))?.get(use.option);
    return found ?? absolute(paths, use, last.folder);
  });
}

/** Whether a model or rows are elsewhere than the run is known to have found them. */
export function isElsewhere(told: readonly Telling[], paths: readonly string[], { option }: PathUse): boolean {
  return told.every(({ experiment, folder }) => !isSame(placesIn(experiment, folder).get(option), paths));
}

/** Other places where something is that was told to be the same. */
export function othersThere(
  told: readonly Telling[],
  folder: string,
  paths: readonly string[],
  use: PathUse,
): readonly string[] | undefined {
  const all = candidatesOf(told, folder).map((places) => places.get(use.option));
  return all.find((places) => isThere(places, use) && !isSame(places, paths));
}

function candidatesOf(told: readonly Telling[], folder: string): readonly Places[] {
  const folders = [realPath(folder), ...told.map((one) => one.folder)];
  return told.flatMap(({ experiment }) => folders.map((from) => placesIn(experiment, from)));
}

function placesIn(experiment: Experiment, folder: string): Places {
  const places = new Map<string, readonly string[]>();
  mapPlaces(experiment, (paths, use) => {
    places.set(use.option, absolute(paths, use, folder));
    return paths;
  });
  return places;
}

function absolute(paths: readonly string[], use: PathUse, folder: string): readonly string[] {
  return paths.map((path) => (isOnHub(path, use) ? path : resolve(folder, path)));
}

function isThere(paths: readonly string[] | undefined, use: PathUse): boolean {
  return paths !== undefined && paths.every((path) => isOnHub(path, use) || existsSync(path));
}

function isSame(some: readonly string[] | undefined, others: readonly string[]): boolean {
  return some?.length === others.length && some.every((path, i) => path === others[i]);
}
