import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file by its path in the folder that was read. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Root of the repository. */
export const root: string = join(import.meta.dirname, "..", "..");

/** Every program text in a folder of the repository. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[cm]?[jt]s$/.test(path))
    .map((path) => ({ path: path.replaceAll("\\", "/"), text: readFileSync(join(root, folder, path), "utf8") }));
}
