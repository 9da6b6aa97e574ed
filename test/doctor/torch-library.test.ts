import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findTorchLibrary } from "../../src/doctor/torch-library.ts";
import { shellWord } from "../../src/files/shell-word.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A python3 that is asked for a package and says that it is there. */
async function pythonSaying(folder: string, said: string): Promise<string> {
  const python = join(folder, "python3");
  await writeFile(python, `#!/bin/sh\nprintf '%s\\n' ${shellWord(said)}\n`);
  await chmod(python, 0o755);
  return python;
}

describe.skipIf(process.platform === "win32")("findTorchLibrary", () => {
  test("is where the Python has PyTorch, by LM_EVAL_PYTHON or on the PATH", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "a torch", "lib", "libtorch_cpu.so");
    await mkdir(join(folder, "a torch", "lib"), { recursive: true });
    await writeFile(file, "");
    const python = await pythonSaying(folder, join(folder, "a torch"));
    expect(await findTorchLibrary({ LM_EVAL_PYTHON: python, PATH: "/nowhere" })).toBe(file);
    expect(await findTorchLibrary({ PATH: folder })).toBe(file);
  });

  test("is nowhere without Python, without PyTorch, and where PyTorch has no such library", async () => {
    const folder = await temporaryFolder();
    expect(await findTorchLibrary({ PATH: folder })).toBeUndefined();
    await pythonSaying(folder, join(folder, "torch"));
    expect(await findTorchLibrary({ PATH: folder })).toBeUndefined();
  });
});
