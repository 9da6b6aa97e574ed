/** Where everything is that an experiment file names, and which of its paths lead nowhere. */
import { type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import { type Fault, faultAt } from "../config/faults.ts";
import { nearestPath } from "../config/nearest-path.ts";
import { shippedFile } from "../config/shipped-file.ts";
import { UserError } from "../errors.ts";
import type { Experiment, RowSource } from "./experiment.ts";
import type { ExperimentFile, rowsSchema } from "./experiment-schema.ts";
import { findModel } from "./model-name.ts";

/** What an experiment file names, with absolute paths; of a path with a fault it is as it is written. */
export interface PlacesInFile extends Pick<Experiment, "base" | "experts" | "tasks"> {
  /** Undefined where the search space is in the experiment file itself. */
  readonly spaceFile: string | undefined;
  readonly faults: readonly Fault[];
}

type Place = readonly PropertyKey[];

/** Finds what a file in `folder` names. `areListed` says whether its experts are a list, whose names are not in the file. */
export function placesIn(file: ExperimentFile, folder: string, areListed: boolean): PlacesInFile {
  const faults: Fault[] = [];
  /** What `find` makes of a path; its UserErrors are faults of the file. */
  const placed = (text: string, at: Place, find: (text: string, folder: string) => string): string => {
    try {
      return find(text, folder);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      faults.push(faultAt(at, error.message));
      return text;
    }
  };
  const rowsAt = (rows: z.output<typeof rowsSchema>, at: Place, name: string): RowSource => {
    if (typeof rows === "string") return [placed(rows, at, rowsFile)];
    if ("dataset" in rows) return { config: name, ...rows };
    return rows.map((text, i) => placed(text, [...at, i], rowsFile));
  };
  const experts = Object.entries(file.experts).map(([name, text], i) => ({
    name,
    path: placed(text, ["experts", areListed ? i : name], modelPlace),
  }));
  const tasks = Object.entries(file.tasks).map(([name, { rows, guard, ...options }]) => ({
    name,
    rows: rowsAt(rows, ["tasks", name, "rows"], name),
    ...(guard !== undefined && { guard: rowsAt(guard, ["tasks", name, "guard"], name) }),
    ...options,
  }));
  const base = placed(file.base, ["base"], modelPlace);
  for (const [name, recipe] of Object.entries(file.recipes ?? {}))
    if (typeof recipe === "string") placed(recipe, ["recipes", name], recipePlace);
  if (file.start) placed(file.start.run, ["start", "run"], runPlace);
  const spaceFile = typeof file.space === "string" ? placed(file.space, ["space"], spaceFileAt) : undefined;
  return { base, experts, tasks, spaceFile, faults };
}

/** The absolute path of a model's folder, or its name on the Hub as it is given; a UserError where there is no such folder. */
export function modelPlace(text: string, folder: string): string {
  const found = findModel(text, folder);
  if ("reference" in found) return text;
  refuseOther(found.folder, "a folder", "a folder, or a name of the Hub as org/name");
  return found.folder;
}

/** The absolute path of a file of rows; a UserError where there is none. */
export function rowsFile(text: string, folder: string): string {
  const path = resolve(folder, text);
  refuseOther(path, "a file", "a file of rows");
  return path;
}

/** Of a file of mergekit's or the recipe.json of an export, which may be given by its folder. */
function recipePlace(text: string, folder: string): string {
  const path = resolve(folder, text);
  refuseOther(path, "either", "a recipe's file, or the folder of an export");
  return path;
}

/** Of an earlier run; whether it is one, its journal tells. */
function runPlace(text: string, folder: string): string {
  const path = resolve(folder, text);
  refuseOther(path, "a folder", "the folder of a run");
  return path;
}

/** The absolute path of a search space's file; a UserError where there is none. */
export function spaceFileAt(text: string, folder: string): string {
  const path = shippedFile(text, folder, "search space") ?? resolve(folder, text);
  refuseOther(path, "a file", "a search space that ships with evomerge, or a file");
  return path;
}

/** A UserError where there is nothing, or a folder in the place of a file or the other way round. */
function refuseOther(path: string, kind: "a file" | "a folder" | "either", expected: string): void {
  const status = statusOf(path);
  if (status === "hidden") return;
  const found = status && (status.isDirectory() ? "a folder" : "a file");
  if (found === kind || (found && kind === "either")) return;
  const nearest = found ? undefined : nearestPath(path);
  const advice = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  throw new UserError(`expected ${expected}, found ${found ?? "none"} at ${path}${advice}`);
}

/** What is there; where that cannot be known, reading says why in its own words. */
function statusOf(path: string): Stats | undefined | "hidden" {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return "hidden";
  }
}
