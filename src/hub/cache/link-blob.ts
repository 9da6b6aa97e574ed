import { lstat, mkdir, rename, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { stagedName } from "../../files/staged-name.ts";
import { cannotWrite } from "../../files/cannot-write.ts";
import { UserError } from "../../errors.ts";

/** Makes a blob readable as `path` of the snapshot, by a relative link; moves it there where links are not possible. */
export async function linkBlob(blob: string, folder: string, path: string): Promise<void> {
  const target = join(folder, path);
  try {
    await makeFolders(folder, path.split("/").slice(0, -1));
    await replaceByLink(relative(dirname(target), blob), target).catch(async (error: unknown) => {
      if (!isLinkRefusal(error)) throw error;
      await rename(blob, target);
    });
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw cannotWrite(target, cause);
  }
}

/** Folder by folder, because a link among them could lead out of the cache. */
async function makeFolders(folder: string, parts: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  let path = folder;
  for (const part of parts) {
    path = join(path, part);
    await mkdir(path, { recursive: true });
    if (!(await lstat(path)).isDirectory())
      throw new UserError(`${path} is not a folder of the cache; delete it and fetch again`);
  }
}

async function replaceByLink(content: string, target: string): Promise<void> {
  const temporary = stagedName(target);
  await symlink(content, temporary);
  await rename(temporary, target);
}

/** Windows gives the right to make links to administrators and developers; some file systems have none. */
function isLinkRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    "syscall" in error &&
    error.syscall === "symlink" &&
    "code" in error &&
    error.code !== "ENOSPC"
  );
}
