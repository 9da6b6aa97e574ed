import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ADAPTER_FILE, refuseAdapter } from "../checkpoint/weight-files.ts";
import { readJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import { modelTypes } from "../model/architectures.ts";
import { openModel } from "../model/open-model.ts";

/**
 * Why a model cannot be scored, in one sentence; undefined where nothing speaks against it. Needs the small files of the
 * folder only, so that it can be asked before any weight is fetched.
 */
export async function whyUnscorable(name: string, snapshotFolder: string): Promise<string | undefined> {
  const known = modelTypes.join(", ");
  const files = await readdir(snapshotFolder).catch((): string[] => []);
  if (!files.includes("config.json")) {
    if (files.includes(ADAPTER_FILE)) return refuseAdapter(name);
    return `${name}/config.json: no such file; expected a Hugging Face model folder`;
  }
  try {
    const config = await readJsonObject(join(snapshotFolder, "config.json"));
    const type = config["model_type"];
    if (typeof type === "string" && !modelTypes.includes(type)) {
      return `${name} is a ${showUntrusted(type).slice(1, -1)} model; evomerge scores ${known} models so far`;
    }
    openModel({ folder: snapshotFolder, config }, "f32");
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return name === snapshotFolder ? error.message : `${name} cannot be scored: ${error.message}`;
  }
}
