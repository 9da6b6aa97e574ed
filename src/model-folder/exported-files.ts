import { createHash, type Hash } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { hashFile, type HashedFile } from "../files/hash-file.ts";
import { readTextWithin } from "../files/read-file.ts";
import { reasonOf } from "../files/system-error.ts";
import { type Digests, MANIFEST, MANIFEST_FILE, parseManifest } from "./manifest.ts";

/** How a folder differs from what an export wrote: the first file that does. */
export interface Difference {
  readonly name: string;
  readonly kind: "added" | "changed" | "missing";
}

/** The files of an exported folder by name, manifest included, or how they differ from those that were written. */
export interface ExportedFiles {
  readonly files: ReadonlyMap<string, HashedFile>;
  readonly difference?: Difference;
}

/**
 * Reads every file of a folder and compares it with the folder's manifest. Of `"sha256"` alone the digests are taken
 * unless `begin` makes others, whose first must be sha256. Undefined for a folder without a manifest of ours.
 */
export async function readExportedFiles(
  folder: string,
  {
    begin = () => [createHash("sha256")],
    signal,
  }: { readonly begin?: (bytes: number) => readonly Hash[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<ExportedFiles | undefined> {
  const names = (await namesIn(folder)).toSorted();
  const listed = await readManifest(folder, names);
  if (listed === undefined) return undefined;
  const files = new Map<string, HashedFile>();
  const differing = (name: string, kind: Difference["kind"]): ExportedFiles => ({ files, difference: { name, kind } });
  const added = names.find((name) => name !== MANIFEST && !listed.has(name));
  if (added !== undefined) return differing(added, "added");
  for (const name of names) {
    const file = await hashFile(join(folder, name), begin, signal);
    const isSame = name === MANIFEST || file?.digests[0] === listed.get(name);
    if (file === undefined || !isSame) return differing(name, "changed");
    files.set(name, file);
  }
  const missing = Array.from(listed.keys()).find((name) => !names.includes(name));
  return missing === undefined ? { files } : differing(missing, "missing");
}

/** Names in a folder, in the order of the disk; a UserError unless it is a folder that can be read. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new UserError(`cannot read ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** The manifest of a folder that holds these names; undefined where it has none of ours. */
async function readManifest(folder: string, names: readonly string[]): Promise<Digests | undefined> {
  const path = join(folder, MANIFEST);
  if (!names.includes(MANIFEST) || !(await lstat(path)).isFile()) return undefined;
  return parseManifest(await readTextWithin(path, MANIFEST_FILE));
}
