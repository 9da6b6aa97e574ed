/** The text of a new experiment file, with what a person may change explained where it stands. */
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { ownFolder } from "../files/own-package.ts";
import { printableJson } from "../files/printable.ts";
import type { DatasetSource } from "../experiment/experiment.ts";

/** What a new experiment says; paths are absolute, or names on the Hub. */
export interface Draft {
  /** Of the runs, where they are not to have the file's. */
  readonly name?: string | undefined;
  readonly base: string;
  /** By the names that the experiment gives them. */
  readonly experts: ReadonlyMap<string, string>;
  readonly space: string;
  readonly tasks: ReadonlyMap<string, DraftTask>;
  /** Such as `1h`. */
  readonly budget: string;
}

export interface DraftTask {
  readonly rows: DraftRows;
  readonly guard?: DraftRows | undefined;
  /** What a person should know of them, in a comment. */
  readonly note?: string | undefined;
}

export type DraftRows = readonly string[] | DatasetSource;

/** YAML that `loadExperiment` reads, for a file in `folder`; `own` is where this package is. */
export function experimentText(draft: Draft, folder: string, own: string = ownFolder()): string {
  const path = (text: string): string => quoted(isAbsolute(text) ? shortPath(text, folder) : text);
  const rows = (given: DraftRows): string => {
    if ("dataset" in given) return `{ dataset: ${quoted(given.dataset)}, config: ${quoted(given.config)} }`;
    const paths = given.map(path);
    return paths.length === 1 ? (paths[0] ?? "") : `[${paths.join(", ")}]`;
  };
  const experts = Array.from(draft.experts, ([name, place]) => `  ${quoted(name)}: ${path(place)}`);
  const tasks = Array.from(draft.tasks, ([name, { rows: given, guard, note }]) => {
    const parts = [`rows: ${rows(given)}`, ...(guard ? [`guard: ${rows(guard)}`] : [])];
    return `  ${quoted(name)}: { ${parts.join(", ")} }${note === undefined ? "" : ` # ${note}`}`;
  });
  const name =
    draft.name === undefined ? "" : `# What runs are called, and their folders in results.\nname: ${draft.name}\n\n`;
  return `# yaml-language-server: $schema=${schemaFrom(folder, own)}

${name}# The experts' common ancestor. Configuration and tokenizer of the merged model are its.
base: ${path(draft.base)}

# What is merged: fine-tunes or LoRA adapters of the base. A model is a folder, or org/name@revision of the Hub.
experts:
${experts.join("\n")}

# Which coefficients are searched. task-arithmetic-tensors: one for each tensor and expert; also task-arithmetic-columns (finer,
# for small models), depth-curves (coarser), adapters, stack, a file of your own, or written here.
space: ${path(draft.space)}

# Rows that tell how good a merge is (.jsonl, .csv, .parquet or a dataset of the Hub) and, as guard, those that no search sees and
# the verdict is about; without guard 30 % are kept for it. weight: 0.5 halves a task's share in the combined loss.
tasks:
${tasks.join("\n")}

# Wall-clock time for everything: search, verdict, export. Or { evaluations: 200 }, candidates to score.
budget: { time: ${quoted(draft.budget)} }
`;
}

/** A path as seen from a folder where it lies within, else as it is. */
function shortPath(path: string, folder: string): string {
  const within = relative(folder, path);
  return within === "" ? "." : within.startsWith("..") || isAbsolute(within) ? path : within;
}

/** A text as YAML on one line: as it is where that is read as the same text, else in quotes. */
function quoted(text: string): string {
  const isPlain = /^[\w./~@-]+$/.test(text) && parse(text) === text;
  return isPlain ? text : printableJson(text);
}

/**
 * Where editors find the schema: by a path where the package is a part of the project that the folder is in too, which may be moved as a
 * whole, else by an address, in which nothing need be quoted.
 */
function schemaFrom(folder: string, own: string): string {
  const schema = join(own, "schemas", "experiment.json");
  const above = dirname(own);
  const isGlobal = basename(dirname(above)) === "lib";
  const project = basename(above) === "node_modules" && !isGlobal ? dirname(above) : own;
  const isWithin = !relative(project, folder).startsWith("..");
  const path = relative(folder, schema).replaceAll("\\", "/");
  return isWithin && !/\s/.test(path) ? path : pathToFileURL(schema).href;
}
