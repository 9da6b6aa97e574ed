import { lstatSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { explainFailure } from "../files/durable-write.ts";

export const JOURNAL = "journal.jsonl";
export const LOSSES = "losses.bin";

/** What a run and the commands on it write into its folder, beside locks. */
export const RUN_NAMES: readonly string[] = [
  JOURNAL,
  LOSSES,
  "report.md",
  "evaluations.csv",
  "generations.csv",
  "benchmarks.csv",
  "lm_eval",
  "best",
];

/** A UserError where a new run would replace, or take for its own, what lies in the folder; other files may be there. */
export function requireFree(folder: string): void {
  for (const name of RUN_NAMES) {
    const path = join(folder, name);
    const found = explainFailure(folder, () => lstatSync(path, { throwIfNoEntry: false }));
    // An empty one was left by a creation that was stopped.
    if (!found || (name === LOSSES && found.isFile() && found.size === 0)) continue;
    throw new UserError(
      name === JOURNAL
        ? `${folder} already holds a run; resume it or choose another folder`
        : `${path} belongs to no run here and would be replaced; move it or choose another folder`,
    );
  }
}
