import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { nearestName } from "./nearest-name.ts";

/** Names of a folder that are looked through. */
const MOST_NAMES = 1000;

/** The path beside a missing one that it is most likely a misspelling of. */
export function nearestPath(path: string): string | undefined {
  const nearest = nearestName(basename(path), namesIn(dirname(path)));
  return nearest === undefined ? undefined : join(dirname(path), nearest);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).slice(0, MOST_NAMES);
  } catch {
    return [];
  }
}
