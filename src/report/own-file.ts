import { lstat } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { readBeginning } from "../files/read-file.ts";

/** In which the mark of a file stands. */
const BEGINNING = 1024;

/** A UserError where a file is in the way that does not begin with the mark of those that evomerge writes. */
export async function requireOwnFile(path: string, mark: string): Promise<void> {
  if (await isNothing(path)) return;
  const beginning = await readBeginning(path, { what: "a file that evomerge wrote", maxBytes: BEGINNING });
  if (beginning.includes(mark)) return;
  throw new UserError(`${path} is none that evomerge wrote, and would be replaced; move it and write the report again`);
}

/** Not even a link that leads nowhere. */
async function isNothing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return true;
    throw error;
  }
}
