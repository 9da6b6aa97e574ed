import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Difference, readExportedFiles } from "../model-folder/exported-files.ts";
import { MANIFEST } from "../model-folder/manifest.ts";
import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { cannotWrite } from "../files/cannot-write.ts";

/** The files of a folder, if all were written by an export and are unchanged since, or the first of which that is not true. */
type Contents = { readonly files: readonly string[] } | { readonly difference: Difference };

/** A UserError for a folder with anything that no export is sure to have written; an export may replace any other. */
export async function checkReplaceable(folder: string, shown: string, signal?: AbortSignal): Promise<void> {
  const contents = await contentsOf(folder, signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error instanceof UserError ? error : cannotWrite(shown, error);
  });
  if ("difference" in contents) throw notReplaced(shown, contents.difference);
}

/**
 * Removes an export that is as it was written, file by file: of what may come into the folder meanwhile nothing. False for
 * anything else, also for what cannot be read: it stays.
 */
export async function removeExport(folder: string): Promise<boolean> {
  const contents = await contentsOf(folder).catch(() => undefined);
  if (contents === undefined || "difference" in contents) return false;
  for (const name of contents.files) await unlink(join(folder, name));
  await rmdir(folder);
  return true;
}

function notReplaced(shown: string, { name, kind }: Difference): UserError {
  return new UserError(
    kind === "added"
      ? `${shown}: holds ${name}, which no export wrote; expected a new folder or an earlier export`
      : `${shown}: ${showUntrusted(name)} was changed since the export; move it elsewhere, or export to another folder`,
  );
}

/**
 * Compares every file with what was written. The manifest comes last, so that what remains of a removal that is broken
 * off is still known for ours. A folder that is not there has no files.
 */
async function contentsOf(folder: string, signal?: AbortSignal): Promise<Contents> {
  const names = await namesOf(folder);
  if (names.length === 0) return { files: [] };
  const found = await readExportedFiles(folder, { signal });
  const name = names.includes(MANIFEST) ? MANIFEST : (names[0] ?? "");
  if (!found) return { difference: { name, kind: "added" } };
  // What is missing cannot be lost.
  if (found.difference && found.difference.kind !== "missing") return { difference: found.difference };
  return { files: [...Array.from(found.files.keys()).filter((file) => file !== MANIFEST), MANIFEST] };
}

async function namesOf(folder: string): Promise<readonly string[]> {
  try {
    if ((await lstat(folder)).isSymbolicLink()) throw new UserError(`${folder}: expected a folder, found a link`);
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
