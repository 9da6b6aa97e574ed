import { chmod, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { vi } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";

/** Prints its lines, or the one whose index is asked for. */
const script = `#!/bin/sh
for argument; do
  case $argument in --id=*) exec sed -n "$((\${argument#--id=} + 1))p" "$0.txt" ;; esac
done
exec cat "$0.txt"
`;

/** Puts a tool before nvidia-smi, until the test ends, that prints these lines; `vi.unstubAllEnvs` must follow. */
export async function fakeNvidiaSmi(...lines: string[]): Promise<void> {
  const folder = await temporaryFolder();
  const file = join(folder, "nvidia-smi");
  await writeFile(`${file}.txt`, lines.map((line) => `${line}\n`).join(""));
  await writeFile(file, script);
  await chmod(file, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
}
