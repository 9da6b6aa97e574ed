import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readJsonObject } from "../files/json-object.ts";
import { writeUnderFreeName } from "../files/free-name.ts";
import { resultsSchema } from "./read-results.ts";

/** One model evaluated with lm_eval, as it is stored: what was run, on which weights, and everything it said. */
export type StoredEvaluation = z.output<typeof evaluationSchema>;

const evaluationSchema = z.strictObject({
  model: z.string(),
  kind: z.enum(["parent", "winner", "model"]),
  /** A folder, or `org/name@revision` of the Hub. */
  source: z.string(),
  /** How the winner was merged, as in the journal. */
  recipe: z.unknown().optional(),
  task: z.string(),
  /** The arguments of lm_eval that decide the result, apart from the model. */
  arguments: z.array(z.string()),
  /** The whole command. */
  command: z.array(z.string()),
  lmEvalVersion: z.string(),
  /** When it ended, in ISO 8601. */
  date: z.iso.datetime(),
  /** `Checkpoint.weightsDigest`. */
  weights: z.string(),
  /** Wall-clock time of lm_eval. */
  seconds: z.number(),
  /** By task: whether each document was answered right. */
  rows: z.record(z.string(), z.strictObject({ documents: z.string(), acc: z.array(z.number()).readonly() })),
  /** The results file of lm_eval. */
  results: resultsSchema,
});

/** With a number for each document of all its tasks. */
const MAX_BYTES = 2 ** 28;

/** What must be equal for an evaluation not to be done again. */
export type EvaluationKey = Pick<StoredEvaluation, "task" | "arguments" | "lmEvalVersion" | "weights" | "recipe">;

/** The first file of a model's evaluations on a task: `<folder>/<task>/<model>.json`. */
export function evaluationPath(folder: string, task: string, model: string): string {
  return join(folder, task.replaceAll(/[^\w-]+/g, "_"), `${model}.json`);
}

/** Stores an evaluation beside earlier ones. A part of it, which a crash may leave, no reader takes for an evaluation. */
export async function writeEvaluation(folder: string, evaluation: StoredEvaluation): Promise<void> {
  const path = evaluationPath(folder, evaluation.task, evaluation.model);
  // One line a field: rows of thousands of documents stay one line.
  const fields = Object.entries(evaluation).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  await writeUnderFreeName(path, `{\n${fields.join(",\n")}\n}\n`);
}

/** The stored evaluation of a model with this key. */
export async function findEvaluation(
  folder: string,
  model: string,
  key: EvaluationKey,
): Promise<StoredEvaluation | undefined> {
  const stored = await readEvaluations(folder);
  return stored.find((evaluation) => evaluation.model === model && keyText(evaluation) === keyText(key));
}

/** Merges by different recipes are kept apart, even where they come to the same weights. */
function keyText({ task, arguments: asked, lmEvalVersion, weights, recipe }: EvaluationKey): string {
  return JSON.stringify([task, asked, lmEvalVersion, weights, recipe]);
}

/** All evaluations stored in a folder, the earliest first. */
export async function readEvaluations(folder: string): Promise<readonly StoredEvaluation[]> {
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : [];
  const paths = names.filter((name) => /^[^/\\]+[/\\][^/\\]+\.json$/.test(name)).map((name) => join(folder, name));
  const evaluations: StoredEvaluation[] = [];
  for (const path of paths) {
    const evaluation = await readEvaluation(path);
    if (evaluation) evaluations.push(evaluation);
  }
  return evaluations.toSorted((a, b) => Date.parse(a.date) - Date.parse(b.date));
}

/** Undefined for a file that was not written by `writeEvaluation`, to its end. */
async function readEvaluation(path: string): Promise<StoredEvaluation | undefined> {
  try {
    return evaluationSchema.safeParse(await readJsonObject(path, MAX_BYTES)).data;
  } catch {
    return undefined;
  }
}
