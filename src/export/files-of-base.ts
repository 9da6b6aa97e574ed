import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import { withMembers } from "../files/json-members.ts";
import { readCompanions } from "./companions.ts";
import { exportedConfig } from "./exported-config.ts";

/** What is true of a merge and not of its base. */
export interface MergedConfig {
  /** Of most weights. */
  readonly dtype: TensorSpec["dtype"];
  /** Fields of config.json with other values. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Configuration, tokenizer and licences of the base, as they are true of a merge; `onNotice` is told what is left out. */
export async function filesOfBase(
  folder: string,
  { dtype, fields = {} }: MergedConfig,
  onNotice: (text: string) => void,
): Promise<ReadonlyMap<string, string | Buffer>> {
  const files = new Map<string, string | Buffer>(await readCompanions(folder));
  const config = files.get("config.json");
  if (config !== undefined && Object.keys(fields).length > 0)
    files.set("config.json", withMembers(String(config), fields));
  for (const name of ["config.json", "tokenizer_config.json"]) {
    const content = files.get(name);
    if (content === undefined) continue;
    const { text, notices } = exportedConfig(String(content), name, dtype);
    if (notices.length > 0) files.set(name, text);
    for (const notice of notices) onNotice(notice);
  }
  return files;
}
