// oxlint-disable-next-line evomerge/bounded-reads -- to write what was not there
import { open, unlink } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { syncFolder } from "./atomic-file.ts";
import { cannotWrite } from "./cannot-write.ts";

/**
 * Writes a file under the first name that nothing has, and returns it: `base.json`, `base.2.json` and so on. What is there
 * is never touched, be it ours or anyone's.
 */
export async function writeUnderFreeName(path: string, text: string): Promise<string> {
  const extension = extname(path);
  let name = path;
  for (let number = 2; !(await writeNewFile(name, text)); number++)
    name = `${path.slice(0, -extension.length)}.${number}${extension}`;
  await syncFolder(dirname(path));
  return name;
}

/** False where something has that name. A crash may leave a part of the text. */
async function writeNewFile(path: string, text: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx");
    try {
      await handle.writeFile(text);
      await handle.sync();
      return true;
    } catch (error) {
      await unlink(path);
      throw error;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cannotWrite(path, cause);
  }
}
