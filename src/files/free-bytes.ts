import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Bytes that are free on the disk of a folder, which need not exist yet. */
export async function freeBytesAt(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    if (parent === folder) throw error;
    return freeBytesAt(parent);
  }
}
