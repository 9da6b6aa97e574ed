import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseYaml } from "../config/load-yaml.ts";
import { UserError } from "../errors.ts";
import { loadExperiment } from "../experiment/experiment-file.ts";
import { experimentSchemaWith, noPluginNames } from "../experiment/experiment-schema.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { explainFailure, tryToUnlink } from "../files/durable-write.ts";
import { type Draft, experimentText } from "./experiment-text.ts";

/** Writes a new experiment file, with its folder, and reads it as a run does; a UserError where there is a file already. */
export async function writeDraft(file: string, draft: Draft): Promise<Experiment> {
  const text = experimentText(draft, dirname(file));
  // What a person named may be no name.
  parseYaml(text, file, experimentSchemaWith(noPluginNames));
  explainFailure(dirname(file), () => mkdirSync(dirname(file), { recursive: true }));
  explainFailure(file, () => {
    try {
      writeFileSync(file, text, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") throw fileIsThere(file);
      // What there was no room for would be in the way of another try; a file that could not be opened is none of ours.
      if ((error as NodeJS.ErrnoException).syscall === "write") tryToUnlink(file);
      throw error;
    }
  });
  return loadExperiment(file);
}

/** That nothing is overwritten. */
export function fileIsThere(file: string): UserError {
  return new UserError(`${file} is there already; give the new experiment another name with --name`);
}
