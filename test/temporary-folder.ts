import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Path of a fresh, empty folder that is removed when the calling test ends; call it inside a test, not in a hook. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
