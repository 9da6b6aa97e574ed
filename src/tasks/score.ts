import { mean } from "simple-statistics";
import { charactersOf, rowLoss } from "./row-loss.ts";
import type { TaskRow } from "./rows.ts";

/** What a model's log-likelihoods say about one row; all but the loss are given for choice rows only. */
export interface RowScore {
  /** Choice: what the row names; text: nats per UTF-8 byte of the continuation. */
  readonly loss: number;
  /** Index of the most likely answer, of several the first; left out if a likelihood is not finite. */
  readonly answer?: number;
  /** lm_eval's `acc`: the right answer is the most likely. */
  readonly correct?: boolean;
  /** lm_eval's `acc_norm`: the right answer is the most likely per character. */
  readonly correctNormalised?: boolean;
}

/** Means over rows; the accuracies are given for choice rows only. */
export interface Summary {
  readonly rows: number;
  readonly loss: number;
  readonly accuracy?: number;
  readonly accuracyNormalised?: number;
}

/**
 * Scores a row by the log-likelihood of each continuation: natural logarithm, summed over its tokens. If any is not
 * finite the loss is NaN and the answer counts as wrong.
 */
export function scoreRow(row: TaskRow, logLikelihoods: readonly number[]): RowScore {
  if (logLikelihoods.length !== row.continuations.length) {
    throw new Error(`row ${row.id} has ${row.continuations.length} continuations, got ${logLikelihoods.length} scores`);
  }
  const isFinite = logLikelihoods.every(Number.isFinite);
  const loss = rowLoss(row).loss(logLikelihoods);
  if (row.kind === "text") return { loss };
  const perCharacter = logLikelihoods.map((value, i) => value / charactersOf(row.continuations[i] ?? ""));
  const answer = firstLargest(logLikelihoods);
  return {
    loss,
    ...(isFinite && { answer }),
    correct: isFinite && answer === row.label,
    correctNormalised: isFinite && firstLargest(perCharacter) === row.label,
  };
}

/** Mean scores of the rows of one task. */
export function summarise(rows: readonly TaskRow[], scores: readonly RowScore[]): Summary {
  if (rows.length !== scores.length) throw new Error(`${rows.length} rows but ${scores.length} scores`);
  const loss = mean(scores.map((score) => score.loss));
  if (rows.some(({ kind }) => kind === "text")) return { rows: rows.length, loss };
  return {
    rows: rows.length,
    loss,
    accuracy: mean(scores.map(({ correct }) => Number(correct))),
    accuracyNormalised: mean(scores.map(({ correctNormalised }) => Number(correctNormalised))),
  };
}

function firstLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
