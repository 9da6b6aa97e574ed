import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** What the weights in a model's folder take on the disk, about, as the names of files tell: known before any is opened. */
export async function weightBytes(folder: string): Promise<number> {
  // Whoever opens the folder says what is wrong with it.
  const names = await readdir(folder).catch(() => []);
  const weights = names.filter((name) => /\.(?:safetensors|bin)$/.test(name));
  const sizes = weights.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
