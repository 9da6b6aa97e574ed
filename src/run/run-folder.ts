import { existsSync } from "node:fs";
import { join } from "node:path";

/** A folder for a new run: `results/<name>`, or the first of `-2`, `-3`, ... that is not there yet. */
export function newRunFolder(results: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const folder = join(results, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(folder)) return folder;
  }
}
