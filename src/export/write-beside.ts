import { join } from "node:path";
import type { WrittenFile } from "../checkpoint/write-checkpoint.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { sha256Of } from "../files/sha256.ts";
import { formatManifest, MANIFEST } from "../model-folder/manifest.ts";

/** Writes files beside the weights of a folder, and last the manifest of all of them. */
export async function writeBeside(
  folder: string,
  weights: readonly Pick<WrittenFile, "file" | "sha256">[],
  contents: Iterable<readonly [name: string, content: string | Uint8Array]>,
): Promise<void> {
  const digests = new Map(weights.map(({ file, sha256 }) => [file, sha256]));
  for (const [name, content] of contents) {
    await writeFileAtomic(join(folder, name), content);
    digests.set(name, sha256Of(content));
  }
  await writeFileAtomic(join(folder, MANIFEST), formatManifest(digests));
}
