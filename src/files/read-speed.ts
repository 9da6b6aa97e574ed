import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** A shorter file tells more of opening it than of reading. */
const LEAST_BYTES = 2 ** 20;
const PIECE_BYTES = 2 ** 23;
/** Reading ends after so long. */
const ENOUGH_MS = 500;

export interface ReadSpeed {
  readonly file: string;
  /** A second, as the machine has the file now: one that was read lately comes from memory. */
  readonly bytesPerSecond: number;
}

/** How fast the largest file of a folder is read from its beginning; undefined where it has none to speak of, or is none. */
export async function readSpeed(
  folder: string,
  now: () => number = () => performance.now(),
): Promise<ReadSpeed | undefined> {
  const file = await largestFile(folder);
  if (file === undefined) return undefined;
  const handle = await open(file, "r");
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    let bytes = 0;
    const began = now();
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, PIECE_BYTES, bytes);
      bytes += bytesRead;
      if (bytesRead < PIECE_BYTES || now() - began >= ENOUGH_MS) break;
    }
    return { file, bytesPerSecond: (1000 * bytes) / Math.max(now() - began, 1e-3) };
  } finally {
    await handle.close();
  }
}

async function largestFile(folder: string): Promise<string | undefined> {
  let largest: { readonly path: string; readonly size: number } | undefined;
  for (const entry of await readdir(folder).catch(() => [])) {
    const path = join(folder, entry);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile() || found.size < LEAST_BYTES || found.size <= (largest?.size ?? 0)) continue;
    largest = { path, size: found.size };
  }
  return largest?.path;
}
