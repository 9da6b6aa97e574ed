import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { replaceableFile } from "../files/replaceable-file.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import { readCsv } from "./read-csv.ts";

/** Predictions by the id of their question: the number of a choice from 0, or a generated text. */
export type Predictions = ReadonlyMap<string, string>;

/** Texts that pandas, with which Kaggle reads a submission, takes for missing values, as its documentation lists them. */
const missing = new Set(
  "#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|"),
);

/** The lines of a submission: `id,prediction,dummy_field`. */
export function submissionText(predictions: Predictions): string {
  const records = Array.from(predictions, ([id, prediction]) => ({ id, prediction, dummy_field: 0 }));
  return stringify(records, { header: true, columns: ["id", "prediction", "dummy_field"] });
}

/** Writes a submission. A prediction that would be read as none is a UserError. */
export async function writeSubmission(path: string, predictions: Predictions): Promise<void> {
  for (const [id, prediction] of predictions) {
    const fault = faultOfPrediction(prediction);
    if (fault !== undefined)
      throw new UserError(`${path} is not written: the prediction of ${showUntrusted(id)}: ${fault}`);
  }
  await writeFileAtomic(await replaceableFile(path), submissionText(predictions));
}

/** Reads a submission; an id that occurs twice or a prediction that is none is a UserError that names file and line. */
export async function readSubmission(path: string, signal?: AbortSignal): Promise<Predictions> {
  const records = await readCsv(path, recordSchema, signal);
  return new Map(records.map(({ id, prediction }) => [id, prediction]));
}

const recordSchema = z.object({
  id: z.string("expected an id").min(1, "expected an id"),
  prediction: z.string("expected a column of predictions").check(({ value, issues }) => {
    const message = faultOfPrediction(value);
    if (message !== undefined) issues.push({ code: "custom", input: value, message });
  }),
  dummy_field: z.literal("0", "expected 0"),
});

/** Why a text cannot be handed in, if it cannot. */
export function faultOfPrediction(prediction: string): string | undefined {
  const text = prediction.trim();
  if (text !== "" && !missing.has(text)) return undefined;
  const found = text === "" ? "no text" : `${JSON.stringify(text)}, which Kaggle reads as a missing value`;
  return `expected some text, found ${found}; put another in its place, such as unknown`;
}
