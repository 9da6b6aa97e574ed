import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Hash of every file in a folder and below it, by its path there. */
export function contentsBelow(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    lstatSync(join(folder, path)).isFile(),
  );
  return Object.fromEntries(files.map((path) => [path, sha256(join(folder, path))]));
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
