import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ADAPTER_FILE, refuseAdapter } from "../checkpoint/weight-files.ts";
import { readJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import { modelTypes, openModel } from "../model/open-model.ts";

/**
 * Why a model cannot be scored, in one sentence; undefined where nothing speaks against it. Needs the small files of the
 * folder only, so that it can be asked before any weight is fetched.
 */
export async function whyUnscorable(name: string, snapshotFolder: string): Promise<string | undefined> {
  const known = modelTypes.join(" and ");
  const files = await readdir(snapshotFolder).catch((): string[] => []);
  if (!files.includes("config.json")) {
    // Without either file, opening the folder says what is missing.
    if (!files.includes(ADAPTER_FILE)) return undefined;
    return refuseAdapter(name);
  }
  const config = await readJsonObject(join(snapshotFolder, "config.json"));
  const type = config["model_type"];
  if (typeof type === "string" && !modelTypes.includes(type)) {
    return `${name} is a ${showUntrusted(type).slice(1, -1)} model; evomerge scores ${known} models so far`;
  }
  try {
    openModel({ folder: snapshotFolder, config }, "f32");
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return `${name} cannot be scored: ${error.message}`;
    throw error;
  }
}
