/** Files of rows that a search may score on. */
import { statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { UserError } from "../errors.ts";
import { findMmlu } from "../tasks/mmlu-guard.ts";
import { readRows } from "../tasks/rows.ts";
import { keyFor } from "./key-for.ts";
import type { SeenFolder } from "./look-through.ts";

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

/** A larger file is read when it is named. */
const MOST_BYTES = 2 ** 26;

/** Files of a folder of rows; in one of thousands nobody means them all. */
const MOST_FILES = 20;

/** The rows of a folder's files that are rows of choices or texts, and of none of MMLU, which no search may see. */
export async function rowsIn({ path, names }: SeenFolder): Promise<readonly FoundRows[]> {
  if (names.has("config.json")) return [];
  const files = [...names].filter((name) => ENDINGS.has(extname(name))).toSorted();
  const found = await Promise.all(files.slice(0, MOST_FILES).map((name) => rowsOf(join(path, name))));
  return found.filter((rows) => rows !== undefined);
}

async function rowsOf(path: string): Promise<FoundRows | undefined> {
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
