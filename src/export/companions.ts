import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { isCompanion } from "../model-folder/companion-files.ts";
import { UserError } from "../errors.ts";
import { readFileWithin } from "../files/read-file.ts";
import { reasonOf } from "../files/system-error.ts";

/** The tokenizer.json of a vocabulary of 256,000 tokens has 35 MB. */
const MAX_BYTES = 2 ** 28;

/**
 * Configuration, tokenizer and licence files of a model folder, by name. A file must be in the folder itself or, as in
 * the Hub's cache, among the blobs of its repository: a link may lead anywhere, and what it leads to would be published.
 */
export async function readCompanions(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const root = await realpath(folder).catch(refuse(folder));
  const names = await readdir(root).catch(refuse(folder));
  const companions = new Map<string, Buffer>();
  for (const name of names.filter(isCompanion).toSorted()) {
    const content = await readCompanion(root, join(folder, name), join(root, name));
    if (content) companions.set(name, content);
  }
  return companions;
}

/** Undefined for a folder: LICENSES/ and its like are no part of a model. */
async function readCompanion(root: string, shown: string, path: string): Promise<Buffer | undefined> {
  const real = await realpath(path).catch(refuse(shown));
  if (![root, blobsOf(root)].some((folder) => folder !== undefined && isInside(real, folder))) {
    throw new UserError(
      `${shown}: a link that leads out of the model's folder, to ${real}; expected the file itself, or a blob of the Hub's cache`,
    );
  }
  if ((await stat(real).catch(refuse(shown))).isDirectory()) return undefined;
  return readFileWithin(real, { what: "a file of a model beside its weights", maxBytes: MAX_BYTES });
}

/** In the Hub's cache files of `<repository>/snapshots/<commit>` are links into `<repository>/blobs`. */
function blobsOf(root: string): string | undefined {
  const repository = root.lastIndexOf(`${sep}snapshots${sep}`);
  return repository < 0 ? undefined : join(root.slice(0, repository), "blobs");
}

export function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function refuse(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  };
}
