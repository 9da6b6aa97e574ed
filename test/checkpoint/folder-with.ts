import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../temporary-folder.ts";

export type Files = Record<string, string | Uint8Array | object>;

/** A folder with config.json and the given files; objects are written as JSON. */
export async function folderWith(files: Files): Promise<string> {
  const folder = await temporaryFolder();
  const all: Files = { "config.json": "{}", ...files };
  for (const [name, content] of Object.entries(all)) {
    const raw = typeof content === "string" || content instanceof Uint8Array;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
  return folder;
}
