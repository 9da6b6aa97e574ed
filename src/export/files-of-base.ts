import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import type { TokenizerSource } from "../model/tokenizer/tokenizer.ts";
import { type ConfigChanges, textWithChanges } from "../vocabulary/config-changes.ts";
import { exportedConfig } from "./exported-config.ts";
import { vocabularyFiles } from "./vocabulary-files.ts";

/** What is true of a merge and not of its base. */
export interface MergedConfig {
  /** Of most weights. */
  readonly dtype: TensorSpec["dtype"];
  /** Fields of config.json with other values; one that is left out is undefined. */
  readonly fields?: ConfigChanges;
  /** Whose tokens it has; the base's unless given. */
  readonly tokenizer?: TokenizerSource;
  readonly signal?: AbortSignal | undefined;
}

/** Configuration, tokenizer and licences of a merge on a base; `onNotice` is told what is left out of the base's files. */
export async function filesOfBase(
  folder: string,
  { dtype, fields = {}, tokenizer = { folder }, signal }: MergedConfig,
  onNotice: (text: string) => void,
): Promise<ReadonlyMap<string, string | Buffer>> {
  const files = await vocabularyFiles(folder, tokenizer, signal);
  const config = files.get("config.json");
  if (config !== undefined && Object.keys(fields).length > 0)
    files.set("config.json", textWithChanges(String(config), fields));
  for (const name of ["config.json", "tokenizer_config.json"]) {
    const content = files.get(name);
    if (content === undefined) continue;
    const { text, notices } = exportedConfig(String(content), name, dtype);
    if (notices.length > 0) files.set(name, text);
    for (const notice of notices) onNotice(notice);
  }
  return files;
}
