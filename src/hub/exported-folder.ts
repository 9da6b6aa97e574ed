import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST, MANIFEST_FILE, parseManifest } from "../checkpoint/manifest.ts";
import { openFile, readTextWithin } from "../files/read-file.ts";
import { reasonOf } from "../files/system-error.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";

/** A file of an exported model, with the digests by which the Hub may list it. */
export interface ExportedFile {
  readonly path: string;
  readonly bytes: number;
  /** How a file in LFS is listed. */
  readonly sha256: string;
  /** Git's sha1, how any other file is listed. */
  readonly blob: string;
}

/**
 * The files of a folder that an export wrote, manifest included. A UserError for a folder without a manifest, and for one
 * with other files or other contents than the manifest names.
 */
export async function readExportedFolder(folder: string, signal?: AbortSignal): Promise<readonly ExportedFile[]> {
  const names = (await readdir(folder).catch(refuse(folder))).toSorted();
  if (!names.includes(MANIFEST)) {
    throw new UserError(`${folder}: holds no ${MANIFEST}; expected a folder that evomerge export wrote`);
  }
  const listed = parseManifest(await readTextWithin(join(folder, MANIFEST), MANIFEST_FILE));
  const missing = Array.from(listed.keys()).find((name) => !names.includes(name));
  if (missing !== undefined) throw changed(folder, missing, "is missing");
  const files: ExportedFile[] = [];
  for (const name of names) {
    const file = await digest(folder, name, signal);
    if (name !== MANIFEST && listed.get(name) !== file.sha256) {
      throw changed(folder, name, listed.has(name) ? "was changed" : "was added");
    }
    files.push(file);
  }
  return files;
}

async function digest(folder: string, path: string, signal?: AbortSignal): Promise<ExportedFile> {
  const file = join(folder, path);
  await using handle = await openFile(file, "a file of an export");
  const { size: bytes } = await handle.stat();
  const sha256 = createHash("sha256");
  const blob = createHash("sha1").update(`blob ${bytes}\0`);
  try {
    for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20, autoClose: false })) {
      signal?.throwIfAborted();
      sha256.update(chunk as Buffer);
      blob.update(chunk as Buffer);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    refuse(file)(cause);
  }
  return { path, bytes, sha256: sha256.digest("hex"), blob: blob.digest("hex") };
}

function changed(folder: string, name: string, what: string): UserError {
  return new UserError(`${folder}: ${showUntrusted(name)} ${what} since the export; export again`);
}

function refuse(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  };
}
