import { createHash, type Hash } from "node:crypto";
import { type Difference, readExportedFiles } from "../../model-folder/exported-files.ts";
import { MANIFEST } from "../../model-folder/manifest.ts";
import { showUntrusted } from "../../files/show-untrusted.ts";
import { UserError } from "../../errors.ts";

/** A file of an exported model, with the digests by which the Hub may list it. */
export interface ExportedFile {
  readonly path: string;
  readonly bytes: number;
  /** How a file in LFS is listed. */
  readonly sha256: string;
  /** Git's sha1, how any other file is listed. */
  readonly blob: string;
}

const told: Readonly<Record<Difference["kind"], string>> = {
  added: "was added",
  changed: "was changed",
  missing: "is missing",
};

/**
 * The files of a folder that an export wrote, manifest included. A UserError for a folder without a manifest of ours, and
 * for one with other files or other contents than the manifest names.
 */
export async function readExportedFolder(folder: string, signal?: AbortSignal): Promise<readonly ExportedFile[]> {
  const exported = await readExportedFiles(folder, { begin: hashesOfHub, signal });
  if (!exported) {
    throw new UserError(`${folder}: expected a folder that evomerge export wrote, found no ${MANIFEST} in it`);
  }
  const { files, difference } = exported;
  if (difference) {
    const { name, kind } = difference;
    throw new UserError(`${folder}: ${showUntrusted(name)} ${told[kind]} since the export; export again`);
  }
  return Array.from(
    files,
    ([
      path,
      {
        bytes,
        digests: [sha256 = "", blob = ""],
      },
    ]) => ({ path, bytes, sha256, blob }),
  );
}

function hashesOfHub(bytes: number): readonly Hash[] {
  return [createHash("sha256"), createHash("sha1").update(`blob ${bytes}\0`)];
}
