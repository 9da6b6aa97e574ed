import { mean, sum } from "simple-statistics";
import { bytesOf, charactersOf, rowLoss } from "./row-loss.ts";
import type { TaskRow } from "./rows.ts";

/** What a model's log-likelihoods say about one row; answers are given for choice rows only. */
export interface RowScore {
  /** Of each continuation: natural logarithm, summed over its tokens. */
  readonly logLikelihoods: readonly number[];
  /** Of each continuation, lm_eval's `is_greedy`: whether each of its tokens is the most likely one; where that was asked for. */
  readonly greedy?: readonly boolean[];
  /** Choice: what the row names; text: nats per UTF-8 byte of the continuation. */
  readonly loss: number;
  /** Index of the most likely answer, of several the first; left out if a likelihood is not finite. */
  readonly answer?: number;
  /** lm_eval's `acc`: the right answer is the most likely. */
  readonly correct?: boolean;
  /** lm_eval's `acc_norm`: the right answer is the most likely per character. */
  readonly correctNormalised?: boolean;
  /** lm_eval's `acc_bytes`: the right answer is the most likely per UTF-8 byte. */
  readonly correctByBytes?: boolean;
}

/** Means over rows: accuracies of choice rows; what a byte of text rows costs over all of them, each byte counting alike. */
export interface Summary {
  readonly rows: number;
  readonly loss: number;
  readonly accuracy?: number;
  readonly accuracyNormalised?: number;
  readonly accuracyByBytes?: number;
  /** lm_eval's `bits_per_byte`, of the continuations with the space that they begin with. */
  readonly bitsPerByte?: number;
  /** lm_eval's `byte_perplexity`, likewise. */
  readonly bytePerplexity?: number;
  /** Of what a plugin's task measures beside, by name; NaN where a model failed on a row. */
  readonly metrics?: Readonly<Record<string, number>>;
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
  const { isRight: judge } = row.scoring ?? {};
  const judged = judge && { correct: isFinite && judge(logLikelihoods) };
  if (row.kind === "text") return { logLikelihoods, loss, ...judged };
  const answer = firstLargest(logLikelihoods);
  const isRight = (measure: (continuation: string, delimiter?: string) => number): boolean =>
    isFinite &&
    firstLargest(logLikelihoods.map((value, i) => value / measure(row.continuations[i] ?? "", row.delimiter))) ===
      row.label;
  return {
    logLikelihoods,
    loss,
    ...(isFinite && { answer }),
    correct: isFinite && answer === row.label,
    correctNormalised: isRight(charactersOf),
    correctByBytes: isRight(bytesOf),
    ...judged,
  };
}

/** What one row of text adds to `bits_per_byte` and `byte_perplexity`, as lm_eval aggregates them: as many bytes as are scored. */
export function textWeight(
  { continuations, label }: Pick<TaskRow, "continuations" | "label">,
  logLikelihoods: readonly number[],
): readonly [logLikelihood: number, bytes: number] {
  return [logLikelihoods[label] ?? NaN, Buffer.byteLength(continuations[label] ?? "")];
}

/** Mean scores of the rows of one task. */
export function summarise(rows: readonly TaskRow[], scores: readonly RowScore[]): Summary {
  if (rows.length !== scores.length) throw new Error(`${rows.length} rows but ${scores.length} scores`);
  const loss = mean(scores.map((score) => score.loss));
  const all = { rows: rows.length, loss, ...metricsOver(rows, scores) };
  if (rows.some(({ kind }) => kind === "text")) return { ...all, ...perByte(rows, scores) };
  return {
    ...all,
    accuracy: mean(scores.map(({ correct }) => Number(correct))),
    accuracyNormalised: mean(scores.map(({ correctNormalised }) => Number(correctNormalised))),
    accuracyByBytes: mean(scores.map(({ correctByBytes }) => Number(correctByBytes))),
  };
}

/** Measured here and not with each row's score, since a search asks for losses alone. */
function metricsOver(rows: readonly TaskRow[], scores: readonly RowScore[]): Pick<Summary, "metrics"> {
  const names = [...(rows[0]?.scoring?.metrics?.keys() ?? [])];
  if (names.length === 0) return {};
  const measured = (name: string): number[] =>
    rows.map(({ scoring }, i) => {
      const values = scores[i]?.logLikelihoods ?? [];
      return values.every(Number.isFinite) ? (scoring?.metrics?.get(name)?.(values) ?? NaN) : NaN;
    });
  return { metrics: Object.fromEntries(names.map((name) => [name, mean(measured(name))])) };
}

function perByte(
  rows: readonly TaskRow[],
  scores: readonly RowScore[],
): Pick<Summary, "bitsPerByte" | "bytePerplexity"> {
  const weights = rows.map((row, i) => textWeight(row, scores[i]?.logLikelihoods ?? []));
  const nats = -sum(weights.map(([logLikelihood]) => logLikelihood)) / sum(weights.map(([, bytes]) => bytes));
  return { bitsPerByte: nats / Math.LN2, bytePerplexity: Math.exp(nats) };
}

function firstLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
