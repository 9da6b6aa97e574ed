import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../../temporary-folder.ts";

type File = Readonly<Record<string, unknown>> & { readonly model: string };
type Folder = Readonly<Record<string, unknown>> & { readonly "tokenizer.json": File };

/** A tokenizer of every kind, and digests of the ids that lm_eval has of every `block` lines. */
export const kinds = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "token-ids.json"), "utf8"),
) as {
  readonly seed: number;
  readonly lines: number;
  readonly block: number;
  /** By name: several kinds have the same. */
  readonly models: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly folders: Readonly<Record<string, Folder>>;
  readonly digests: Readonly<Record<string, readonly string[]>>;
};

/** A folder with a tokenizer of the kind, whose tokenizer.json is changed where that is asked for. */
export async function folderOfKind(
  kind: string,
  change: (file: Readonly<Record<string, unknown>>) => unknown = (file) => file,
): Promise<string> {
  const folder = join(await temporaryFolder(), kind);
  await mkdir(folder);
  const { "tokenizer.json": file, ...others } = kinds.folders[kind]!;
  const whole = change({ ...file, model: kinds.models[file.model] });
  for (const [name, content] of Object.entries({ ...others, "tokenizer.json": whole }))
    await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}
