import { UserError } from "../../errors.ts";
import type { EngineName } from "../../device/engine-names.ts";
import type { Precision } from "../../experiment/experiment.ts";
import { modelFolder } from "../../experiment/model-folder.ts";
import type { SourceOptions } from "../../experiment/sources.ts";
import { generateAnswers } from "../../submission/generate-answers.ts";
import { checkSubmission, type SubmissionCheck } from "../../submission/check-submission.ts";
import { generatedTexts } from "../../submission/generated-texts.ts";
import { predictChoices } from "../../submission/predict-choices.ts";
import { type Question, readQuestions } from "../../submission/questions.ts";
import { type Predictions, readSubmission, submissionText, writeSubmission } from "../../submission/submission-file.ts";
import { writeUnderFreeName } from "../../files/free-name.ts";
import { printableLine } from "../../files/printable.ts";
import { replaceableFile } from "../../files/replaceable-file.ts";
import { shellPath } from "../../files/shell-word.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson, tell } from "../output.ts";
import { Progress } from "../progress.ts";

export interface WriteSubmissionOptions {
  /** The competition's CSV. */
  readonly rows: string;
  readonly to: string;
  /** A submission to take the generated texts from, which the model generates unless it is given. */
  readonly generated?: string | undefined;
  /** Of a generated text. */
  readonly maxNewTokens?: number | undefined;
  readonly until?: readonly string[] | undefined;
  readonly engine?: EngineName | undefined;
  readonly precision?: Exclude<Precision, "mixed"> | undefined;
}

/** `evomerge submission write`: answers the competition's questions with a model and writes the file to hand in. */
export async function writeSubmissionCommand(
  model: string,
  { rows, to, generated, ...options }: WriteSubmissionOptions,
): Promise<void> {
  const signal = interruptionSignal();
  const questions = await readQuestions(rows, signal);
  const texts = generated === undefined ? undefined : await generatedTexts(questions, generated, signal);
  await replaceableFile(to);
  const answers = new Map(texts);
  try {
    await answer(model, questions, { ...options, answers, signal });
  } catch (error) {
    await keepTexts(to, questions, answers);
    throw error;
  }
  const predictions = new Map(questions.map(({ id }) => [id, answers.get(id) ?? ""]));
  await writeSubmission(to, predictions);
  print(`wrote ${printableLine(to)}\n${checkText(checkSubmission(predictions, questions))}`);
}

/** `evomerge submission check`: says whether a submission can be handed in; a fault is an error. */
export async function checkSubmissionCommand(
  file: string,
  { rows, json }: { readonly rows: string; readonly json?: boolean | undefined },
): Promise<void> {
  const check = checkSubmission(await readSubmission(file), await readQuestions(rows));
  if (json) printJson(check);
  else print(checkText(check));
  if (check.faults.length > 0) throw new UserError(`${file} does not answer ${rows}: ${check.faults.join("; ")}`);
}

interface AnsweringOptions extends Pick<WriteSubmissionOptions, "engine" | "precision" | "maxNewTokens" | "until"> {
  /** By id; texts that it has are not generated, and the others are added. */
  readonly answers: Map<string, string>;
  readonly signal: AbortSignal;
}

/** Adds the answers of a model that is here or on the Hub, each when it is there, with progress. */
async function answer(
  model: string,
  questions: readonly Question[],
  { signal, answers, engine, precision, ...ofTexts }: AnsweringOptions,
): Promise<void> {
  const progress = new Progress();
  try {
    const onFetching: SourceOptions["onProgress"] = (done) => progress.show({ type: "fetching", ...done });
    const folder = await modelFolder(model, { signal, onProgress: onFetching, toScore: true });
    const onNotice = (text: string): void => progress.show({ type: "notice", text });
    const running = { engine, precision, signal, onNotice };
    const onScored = (share: number, rows: number): void => progress.reach(`score of ${rows} rows`, share);
    const onGenerated = (share: number, count: number): void => progress.reach(`${count} texts`, share);
    for (const own of await predictChoices(folder, questions, { ...running, onProgress: onScored }))
      answers.set(...own);
    const asked = questions.filter(({ id }) => !answers.has(id));
    const onAnswer = (id: string, text: string): void => void answers.set(id, text);
    await generateAnswers(folder, asked, { ...running, ...ofTexts, onAnswer, onProgress: onGenerated });
  } finally {
    progress.end();
  }
}

/** Says how many texts are missing of a submission that is not written, and keeps those that are there. */
async function keepTexts(to: string, questions: readonly Question[], answers: Predictions): Promise<void> {
  const asked = questions.filter(({ choices }) => !choices);
  const found = asked.filter(({ id }) => answers.has(id));
  if (asked.length === 0) return;
  const missing = `${printableLine(to)} is not written: ${asked.length - found.length} of ${asked.length} texts are missing`;
  if (found.length === 0) return tell(missing);
  const kept = questions.flatMap(({ id }): [string, string][] => {
    const own = answers.get(id);
    return own === undefined ? [] : [[id, own]];
  });
  const path = await writeUnderFreeName(`${to.replace(/\.csv$/, "")}.partial.csv`, submissionText(new Map(kept)));
  tell(`${missing}; those that are there are in ${path}: the same command with --generated ${shellPath(path)} goes on`);
}

function checkText({ questions, multipleChoice, accuracy, rouge }: SubmissionCheck): string {
  return [
    `questions        ${questions}`,
    `multiple choice  ${multipleChoice}`,
    `generated        ${questions - multipleChoice}`,
    ...(accuracy === undefined ? [] : [`accuracy         ${accuracy.toFixed(6)}`]),
    ...Object.entries(rouge ?? {}).map(([name, value]) => `${name.padEnd(15)}  ${value.toFixed(6)}`),
  ].join("\n");
}
