/** Adapters that peft wrote, and what its merge_and_unload made of their bases. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../temporary-folder.ts";

export type Kind = "f32" | "bf16";
type Encoded = Readonly<Record<string, string>>;

export interface AdapterCase {
  readonly base: string;
  readonly files: Encoded;
  readonly merged: Readonly<Record<Kind, Encoded>>;
}

const path = join(import.meta.dirname, "../fixtures/checkpoint/adapters.json");
const { bases, cases } = JSON.parse(readFileSync(path, "utf8")) as {
  readonly bases: Readonly<Record<string, Readonly<Record<Kind, Encoded>>>>;
  readonly cases: Readonly<Record<string, AdapterCase>>;
};

/** By what is special about each. */
export const adapterCases = cases;

/** Folders of a base and of an adapter, whose configuration may be changed, and whose base may be another's. */
export async function adapterFolders(
  { base, files }: AdapterCase,
  kind: Kind,
  { config = {}, on = base }: { readonly config?: object; readonly on?: string } = {},
): Promise<{ readonly base: string; readonly adapter: string }> {
  const folder = await temporaryFolder();
  const written = (name: string, content: Encoded): string => {
    mkdirSync(join(folder, name));
    for (const [file, bytes] of Object.entries(content)) writeFileSync(join(folder, name, file), bytes, "base64");
    return join(folder, name);
  };
  const adapter = written("adapter", files);
  const configPath = join(adapter, "adapter_config.json");
  const changed = { ...(JSON.parse(readFileSync(configPath, "utf8")) as object), ...config };
  writeFileSync(configPath, JSON.stringify(changed));
  return { base: written("base", bases[on]![kind]), adapter };
}
