/** Losses of a choice row that could be searched on, those of src/tasks/row-loss.ts among them. */
import { mean } from "simple-statistics";

/** What a model makes of the answers of one row: log-likelihoods in nats, summed over tokens. */
export interface Answers {
  readonly logLikelihoods: readonly number[];
  readonly characters: readonly number[];
  readonly tokens: readonly number[];
  readonly label: number;
}

export type Formula = (answers: Answers) => number;

type Logits = (answers: Answers) => readonly number[];

const summed: Logits = ({ logLikelihoods }) => logLikelihoods;
const halved: Logits = ({ logLikelihoods }) => logLikelihoods.map((own) => own / 2);
const perCharacter: Logits = ({ logLikelihoods, characters }) => logLikelihoods.map((own, i) => own / characters[i]!);
const perToken: Logits = ({ logLikelihoods, tokens }) => logLikelihoods.map((own, i) => own / tokens[i]!);
/** Per character, so scaled that answers of one length have the logits of sums. */
const normalised: Logits = (answers) => perCharacter(answers).map((own) => own * mean([...answers.characters]));

const logarithm = (p: number): number => -Math.log(p);
const powerOf =
  (q: number) =>
  (p: number): number =>
    (1 - p ** q) / q;

/** By names as they are printed; the first is what others are compared with. */
export const losses: Readonly<Record<string, Formula>> = {
  "-log p": ofRight(logarithm, summed),
  "-log p, per character": ofRight(logarithm, perCharacter),
  "-log p, per token": ofRight(logarithm, perToken),
  "-log p, per character x mean length": ofRight(logarithm, normalised),
  "-log p, temperature 2": ofRight(logarithm, halved),
  "-log p, at most 3": ofRight((p) => Math.min(3, logarithm(p)), summed),
  "-log(0.9 p + 0.1 / n)": (answers) =>
    logarithm(0.9 * softmax(summed(answers))[answers.label]! + 0.1 / answers.logLikelihoods.length),
  "(1 - p^0.3) / 0.3": ofRight(powerOf(0.3), summed),
  "(1 - p^0.5) / 0.5": ofRight(powerOf(0.5), summed),
  "(1 - p^0.7) / 0.7": ofRight(powerOf(0.7), summed),
  "(1 - p^0.7) / 0.7, per character x mean length": ofRight(powerOf(0.7), normalised),
  "1 - p": ofRight((p) => 1 - p, summed),
  Brier: (answers) => softmax(summed(answers)).reduce((sum, p, i) => sum + (p - Number(i === answers.label)) ** 2, 0),
  "hinge, margin 1": ({ logLikelihoods, label }) =>
    Math.max(0, 1 + Math.max(...logLikelihoods.filter((_, i) => i !== label)) - logLikelihoods[label]!),
};

/** lm_eval's accuracies of a row, 0 or 1. */
export const accuracies: Readonly<Record<"acc" | "acc_norm", Formula>> = {
  acc: ({ logLikelihoods, label }) => Number(firstLargest(logLikelihoods) === label),
  acc_norm: (answers) => Number(firstLargest(perCharacter(answers)) === answers.label),
};

function ofRight(loss: (p: number) => number, logits: Logits): Formula {
  return (answers) => loss(Math.max(1e-300, softmax(logits(answers))[answers.label]!));
}

function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

function firstLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
