import { access, constants, lstat, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { cannotWrite } from "./cannot-write.ts";

/**
 * Where to write the file that a user names: where its links lead, which stay. A UserError where there is what a file must
 * not take the place of, such as a pipe or a device, and where no file can be written.
 */
export async function replaceableFile(path: string): Promise<string> {
  try {
    const isNew = (await kindOf(path)) === "nothing";
    const place = isNew ? path : await realpath(path);
    if (!isNew && (await kindOf(place)) !== "file")
      throw new UserError(`cannot write ${path}: it is not a regular file; choose another name`);
    await access(dirname(place), constants.W_OK);
    return place;
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw cannotWrite(path, cause);
  }
}

/** What has a name, be it a link that leads nowhere. */
async function kindOf(path: string): Promise<"file" | "nothing" | "other"> {
  try {
    return (await lstat(path)).isFile() ? "file" : "other";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "nothing";
    throw error;
  }
}
