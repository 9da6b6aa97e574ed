import { mean } from "simple-statistics";
import { showUntrusted } from "../files/show-untrusted.ts";
import { rouge, type RougeScores } from "../rouge/rouge.ts";
import type { Question } from "./questions.ts";
import type { Predictions } from "./submission-file.ts";

/** What a comparison of a submission with its questions finds. */
export interface SubmissionCheck {
  readonly questions: number;
  /** Questions with choices; the others are answered by generated texts. */
  readonly multipleChoice: number;
  /** What is wrong, a sentence for each kind of fault; none means that the submission can be handed in. */
  readonly faults: readonly string[];
  /** Share of right choices, where the questions tell the right ones and nothing is wrong. */
  readonly accuracy?: number;
  /** Mean f-measures of the generated texts, without the stemmer, where the questions tell the wanted ones and nothing is wrong. */
  readonly rouge?: Readonly<Record<keyof RougeScores, number>>;
}

/** Checks that a submission answers its questions and no others, and those with choices by one of them. */
export function checkSubmission(submission: Predictions, questions: readonly Question[]): SubmissionCheck {
  const ids = new Set(questions.map(({ id }) => id));
  const missing = questions.filter(({ id }) => !submission.has(id)).map(({ id }) => id);
  const unknown = Array.from(submission.keys()).filter((id) => !ids.has(id));
  const outside = questions.filter((question) => isOutside(question, submission)).map(({ id }) => id);
  const faults = [
    ...faultOf(missing, "without a prediction"),
    ...faultOf(unknown, "of no question"),
    ...faultOf(outside, "whose prediction is not the number of a choice, from 0"),
  ];
  const isWhole = faults.length === 0;
  const accuracy = isWhole ? accuracyOf(submission, questions) : undefined;
  const similarity = isWhole ? rougeOf(submission, questions) : undefined;
  return {
    questions: questions.length,
    multipleChoice: questions.filter(({ choices }) => choices).length,
    faults,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(similarity === undefined ? {} : { rouge: similarity }),
  };
}

function isOutside({ id, choices }: Question, submission: Predictions): boolean {
  const prediction = submission.get(id);
  if (prediction === undefined || !choices) return false;
  return !/^(?:0|[1-9]\d*)$/.test(prediction) || Number(prediction) >= choices.length;
}

function faultOf(ids: readonly string[], what: string): string[] {
  return ids.length === 0
    ? []
    : [`${ids.length} ${ids.length === 1 ? "id" : "ids"} ${what}, such as ${showUntrusted(ids[0])}`];
}

function accuracyOf(submission: Predictions, questions: readonly Question[]): number | undefined {
  const known = questions.filter(({ right }) => right !== undefined);
  if (known.length === 0) return undefined;
  return known.filter(({ id, right }) => submission.get(id) === String(right)).length / known.length;
}

function rougeOf(submission: Predictions, questions: readonly Question[]): SubmissionCheck["rouge"] {
  const scores = questions.flatMap(({ id, wanted }) =>
    wanted === undefined ? [] : [rouge(wanted, submission.get(id) ?? "")],
  );
  if (scores.length === 0) return undefined;
  const meanOf = (name: keyof RougeScores): number => mean(scores.map((score) => score[name].fmeasure));
  return {
    rouge1: meanOf("rouge1"),
    rouge2: meanOf("rouge2"),
    rougeL: meanOf("rougeL"),
    rougeLsum: meanOf("rougeLsum"),
  };
}
