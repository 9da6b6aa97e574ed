/** Files of rows that a search may score on. */
import { statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { UserError } from "../errors.ts";
import { findMmlu } from "../tasks/mmlu-guard.ts";
import { readRows } from "../tasks/rows.ts";
import { keyFor } from "./key-for.ts";
import { isModelFolder, type SeenFolder } from "./look-through.ts";

/** A file whose rows have been read. */
export interface FoundRows {
  readonly path: string;
  readonly count: number;
}

/** A task that files make by their names: rows to search on, and where there are such, rows for the verdict. */
export interface FoundTask {
  readonly name: string;
  readonly rows: FoundRows;
  readonly guard?: FoundRows;
}

const ENDINGS = new Set([".jsonl", ".csv", ".parquet"]);

/** Validation rows are a few megabytes; a larger file is read when it is named. */
const MOST_BYTES = 2 ** 24;

/** Files of a folder that may hold rows, by their names; beside a model there are none. */
export function rowFilesIn({ path, names }: SeenFolder): readonly string[] {
  if (isModelFolder(names)) return [];
  const files = [...names].filter((name) => ENDINGS.has(extname(name))).toSorted();
  return files.map((name) => join(path, name));
}

/** The rows of a file that are rows of choices or texts, and none of MMLU, which no search may see; undefined of any other file. */
export async function rowsInFile(path: string): Promise<FoundRows | undefined> {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status?.isFile() || status.size > MOST_BYTES) return undefined;
  try {
    const rows = await readRows(path);
    return findMmlu(rows) ? undefined : { path, count: rows.length };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What a file's name says of its rows, such as `xsum.guard.jsonl`. */
const SIDE = /[._-](?<side>search|train|guard)$/;

/** Tasks by the names of files: `x.guard.jsonl` has the rows for the verdict of `x.jsonl` or `x.search.jsonl` beside it. */
export function tasksOf(found: readonly FoundRows[]): readonly FoundTask[] {
  const named = found.map((rows) => {
    const stem = basename(rows.path, extname(rows.path));
    return { rows, name: stem.replace(SIDE, ""), isGuard: SIDE.exec(stem)?.groups?.["side"] === "guard" };
  });
  const tasks = new Map<string, FoundTask>();
  for (const { name, rows } of named.filter(({ isGuard }) => !isGuard)) {
    const guard = named.find((other) => other.isGuard && other.name === name)?.rows;
    const task = { name: keyFor(name, tasks), rows, ...(guard && { guard }) };
    tasks.set(task.name, task);
  }
  return [...tasks.values()];
}
