import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { isInside } from "./companions.ts";

/**
 * A UserError where the folder that an export goes to is a parent of the merge, or has files in it that a parent's folder
 * links to: an earlier export may be a parent of the next run, which could not be resumed without it.
 */
export async function checkNoParent(
  checkpoints: Workspace["checkpoints"],
  { path, shown }: { readonly path: string; readonly shown: string },
): Promise<void> {
  for (const [name, { folder }] of checkpoints) {
    if ((await realpath(folder)) === path) {
      throw new UserError(`${shown}: is the folder of ${name}, which the merge is made of; export to another folder`);
    }
    for (const file of await readdir(folder)) {
      // A link that leads nowhere is no file of a parent's.
      const real = await realpath(join(folder, file)).catch(() => undefined);
      if (real === undefined || (real !== path && !isInside(real, path))) continue;
      throw new UserError(
        `${shown}: ${join(folder, file)} links into it, a file of ${name}, which the merge is made of; export to another folder`,
      );
    }
  }
}
