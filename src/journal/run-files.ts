import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { explainFailure } from "../files/durable-write.ts";
import { readRecords } from "./replay.ts";

export const JOURNAL = "journal.jsonl";
export const NUMBERS = "numbers.bin";

/** What a run and the commands on it write into its folder, beside locks. */
export const RUN_NAMES: readonly string[] = [
  JOURNAL,
  NUMBERS,
  "report.html",
  "plots",
  "report.md",
  "evaluations.csv",
  "generations.csv",
  "benchmarks.csv",
  "lm_eval",
  "best",
];

/** Of a run in which nothing was scored the journal and what is made from it: a new one may take their place. */
const REPLACED: ReadonlySet<string> = new Set([
  JOURNAL,
  NUMBERS,
  "report.html",
  "report.md",
  "evaluations.csv",
  "generations.csv",
]);

/**
 * A UserError where a new run would replace, or take for its own, what lies in the folder; other files may be there, and a
 * run that ended before anything was scored, of which true is returned.
 */
export function requireFree(folder: string): boolean {
  const isLeft = isUnscored(join(folder, JOURNAL));
  for (const name of RUN_NAMES) {
    const path = join(folder, name);
    const found = explainFailure(folder, () => lstatSync(path, { throwIfNoEntry: false }));
    // An empty one was left by a creation that was stopped.
    if (!found || (name === NUMBERS && found.isFile() && found.size === 0)) continue;
    if (isLeft && found.isFile() && REPLACED.has(name)) continue;
    throw new UserError(
      name === JOURNAL
        ? `${folder} already holds a run; resume it or choose another folder`
        : `${path} belongs to no run here and would be replaced; move it or choose another folder`,
    );
  }
  return isLeft;
}

/** Whether a journal is that of a run that has scored nothing: its beginning, and what it was told since. */
function isUnscored(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const { records } = readRecords(path);
    return records.every(({ type }) => ["start", "parents", "budget", "moved"].includes(type));
  } catch {
    // What cannot be read may be worth something to whoever restores it.
    return false;
  }
}
