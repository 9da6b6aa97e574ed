/** The package that this module is part of, wherever in it the build has put the module. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface OwnPackage {
  readonly folder: string;
  readonly version: string;
}

let found: OwnPackage | undefined;

/** Absolute path of the folder of our package.json. */
export function ownFolder(): string {
  return ownPackage().folder;
}

/** The version in our package.json. */
export function evomergeVersion(): string {
  return ownPackage().version;
}

function ownPackage(): OwnPackage {
  found ??= packageAround(import.meta.dirname);
  return found;
}

/** Of the nearest folder upward with a package.json of our name: others may lie on the way. */
function packageAround(folder: string): OwnPackage {
  const { name, version } = manifestIn(folder);
  if (name === "evomerge" && version !== undefined) return { folder, version };
  if (dirname(folder) === folder) throw new Error(`no package.json of evomerge is above ${import.meta.dirname}`);
  return packageAround(dirname(folder));
}

function manifestIn(folder: string): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: string; version?: string };
  } catch {
    return {}; // None, or none that npm would take.
  }
}
