import { chmod, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { vi } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";

/** Puts a tool before nvidia-smi, until the test ends, that prints these lines; `vi.unstubAllEnvs` must follow. */
export async function fakeNvidiaSmi(...lines: string[]): Promise<void> {
  const folder = await temporaryFolder();
  const file = join(folder, "nvidia-smi");
  await writeFile(file, `#!/bin/sh\n${lines.map((line) => `echo '${line}'`).join("\n")}\n`);
  await chmod(file, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
}
