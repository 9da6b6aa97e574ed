import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { explainFailure } from "../files/durable-write.ts";

/**
 * Makes the folder of a new run: `results/<name>`, or the first of `-2`, `-3`, ... that is not there yet. Two that come
 * at once get two.
 */
export function newRunFolder(results: string, name: string): string {
  explainFailure(results, () => mkdirSync(results, { recursive: true }));
  for (let number = 1; ; number += 1) {
    const folder = join(results, number === 1 ? name : `${name}-${number}`);
    if (explainFailure(folder, () => isMade(folder))) return folder;
  }
}

/** Removes the folder of a run that did not begin, so that the next has its name; one with anything in it stays. */
export function removeUnused(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is in use, or gone.
  }
}

/** Makes a folder; false where something has its name already. */
function isMade(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
