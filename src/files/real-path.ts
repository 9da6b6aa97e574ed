import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** An absolute path without links, as far as it exists. */
export function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    return dirname(whole) === whole ? whole : join(realPath(dirname(whole)), basename(whole));
  }
}
