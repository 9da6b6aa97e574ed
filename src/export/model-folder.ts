/** The files of an exported model beside its weights, and the moment at which they take the place of an earlier export. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { isCompanion } from "../checkpoint/companion-files.ts";
import { formatManifest, MANIFEST, parseManifest } from "../checkpoint/manifest.ts";
import { reasonOf } from "../files/system-error.ts";
import { UserError } from "../errors.ts";

/** Refuses a folder with anything in it that is not of an earlier export, since an export replaces the whole folder. */
export async function checkReplaceable(folder: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (isMissing(cause)) return;
    throw new UserError(`cannot write ${folder}: ${reasonOf(cause)}`, { cause });
  }
  const manifest = names.includes(MANIFEST) ? await readFile(join(folder, MANIFEST), "utf8") : "";
  const exported = new Set([MANIFEST, ...parseManifest(manifest).keys()]);
  const other = names.find((name) => !exported.has(name));
  if (other !== undefined) {
    throw new UserError(`${folder}: holds ${other}, which no export wrote; expected a new folder or an earlier export`);
  }
}

/** An empty folder to write the model into; what a killed export left there is removed. */
export async function emptyFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new UserError(`cannot write ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** Copies configuration, tokenizer and licence files of the base. */
export async function carryOver(base: string, folder: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (isCompanion(name)) await writeFileAtomic(join(folder, name), await readFile(join(base, name)));
  }
}

/** Writes the sha256 of every file in the form that `sha256sum --check` reads. */
export async function writeManifest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== MANIFEST).toSorted();
  const digests = new Map<string, string>();
  for (const name of names) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    digests.set(name, hash.digest("hex"));
  }
  await writeFileAtomic(join(folder, MANIFEST), formatManifest(digests));
}

/** Gives a finished folder its name. An earlier export is set aside first and removed last, never half replaced. */
export async function takePlace(finished: string, folder: string): Promise<void> {
  const earlier = `${folder}.earlier`;
  await rm(earlier, { recursive: true, force: true });
  try {
    await rename(folder, earlier).catch(ignoreMissing);
    await rename(finished, folder);
  } catch (cause) {
    await rename(earlier, folder).catch(ignoreMissing);
    throw new UserError(`cannot replace ${folder}: ${reasonOf(cause)}`, { cause });
  }
  await rm(earlier, { recursive: true, force: true });
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
