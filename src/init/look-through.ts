/** The folders in and under one, as far as a person may mean them. */
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { findWeightFiles, isAdapter } from "../checkpoint/weight-files.ts";

/** A folder with the names of what is in it. */
export interface SeenFolder {
  readonly path: string;
  readonly names: ReadonlySet<string>;
}

/** Levels below the first folder: deeper are caches and checkpoints of trainings. */
const DEPTH = 3;

/** Of a home folder, this is reached in a second. */
const MOST_FOLDERS = 2000;

/** Yields folders, the nearest first; those behind links once, none that is hidden, of packages or of a run. */
export async function* lookThrough(start: string): AsyncGenerator<SeenFolder> {
  const seen = new Set<string>();
  const waiting = [{ path: start, depth: 0 }];
  for (const { path, depth } of waiting) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || seen.has(real) || seen.size === MOST_FOLDERS) continue;
    seen.add(real);
    const names = await readdir(path).catch((): string[] => []);
    if (names.includes("journal.jsonl")) continue;
    yield { path, names: new Set(names) };
    if (depth === DEPTH || isModelFolder(new Set(names))) continue;
    for (const name of names.toSorted()) {
      if (name.startsWith(".") || name === "node_modules") continue;
      const inner = join(path, name);
      if (await isFolderAt(inner)) waiting.push({ path: inner, depth: depth + 1 });
    }
  }
}

/** Whether a folder with these files is a model or an adapter; what is within are earlier states of it. */
export function isModelFolder(names: ReadonlySet<string>): boolean {
  return isAdapter(names) || (names.has("config.json") && findWeightFiles(names) !== undefined);
}

async function isFolderAt(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
