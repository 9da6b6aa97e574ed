import { execFile } from "node:child_process";
import { copyFile, open, readdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { compiled } from "../../../compiled.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { productLibraries } from "../product-libraries.ts";

const torch = productLibraries.find(({ name }) => name.endsWith(" of PyTorch"));

/** In a process of its own, since one can hold one PyTorch only. */
async function find(file: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const script = compiled("test/device/ggml/products/find-process");
  const options = { env: { ...process.env, ...environment } };
  return (await promisify(execFile)(process.execPath, [script, file], options)).stdout;
}

/** A folder with PyTorch's libraries, of which the one for products is a copy. */
async function copied(): Promise<string> {
  const folder = await temporaryFolder();
  const [from, name] = [dirname(torch!.file), basename(torch!.file)];
  for (const other of await readdir(from)) if (other !== name) await symlink(join(from, other), join(folder, other));
  await copyFile(torch!.file, join(folder, name));
  return join(folder, name);
}

describe.skipIf(!torch)("PyTorch's library (where EVOMERGE_TESTED_PRODUCTS names one)", () => {
  test("has all functions of a oneDNN, and keeps no process from its end", async () => {
    expect(torch!.library).toHaveProperty("multiplyAll");
    expect(await find(torch!.file)).toBe(torch!.name);
  });

  test("is refused without its symbol table", async () => {
    const file = await copied();
    await using handle = await open(file, "r+");
    // The number of sections, which nobody needs who loads it.
    await handle.write(Buffer.alloc(2), 0, 2, 60);
    expect(await find(file)).toMatch(/: expected oneDNN in PyTorch's symbol table, .+, found none$/);
  });

  test("is refused by its name alone, by which its file is not found", async () => {
    const environment = { LD_LIBRARY_PATH: dirname(torch!.file) };
    expect(await find(basename(torch!.file), environment)).toMatch(/: expected the whole path of PyTorch's library/);
  });
});
