import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** The module of that name beside another, as a program for `fork`; in TypeScript where this module is. */
export function childProgram(folder: string, name: string): { readonly path: string; readonly execArgv: string[] } {
  const extension = extname(import.meta.filename);
  const path = join(folder, `${name}${extension}`);
  if (extension !== ".ts") return { path, execArgv: [] };
  return { path, execArgv: ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href] };
}
