/** What a search minimises of one row, and its derivative. */

/** The part of a row that its loss depends on. */
export interface ScoredRow {
  readonly kind: "choice" | "text";
  readonly continuations: readonly string[];
  readonly delimiter?: string;
  readonly label: number;
  /** Of a choice; `defaultLoss` unless given. */
  readonly loss?: ChoiceLossName;
  /** In the place of what follows from the rest. */
  readonly scoring?: RowScoring;
}

/** How a row is scored whose format says it. */
export interface RowScoring extends Partial<RowLoss> {
  readonly isRight?: (logLikelihoods: readonly number[]) => boolean;
  /** What else is measured, by name; of log-likelihoods that are all finite. */
  readonly metrics?: ReadonlyMap<string, (logLikelihoods: readonly number[]) => number> | undefined;
}

/**
 * A function of the log-likelihoods of the row's continuations: natural logarithms, summed over tokens, in the row's
 * order. Where any of them is not finite, everything is NaN.
 */
export interface RowLoss {
  readonly loss: (logLikelihoods: readonly number[]) => number;
  /** Of the loss by each log-likelihood. */
  readonly derivative: (logLikelihoods: readonly number[]) => number[];
}

interface ChoiceLoss {
  /** What it is, where p is the softmax over the answers at the right one. */
  readonly formula: string;
  /** Whether log-likelihoods count per character, as in lm_eval's acc_norm, times the mean length of the row's answers. */
  readonly isNormalised: boolean;
  /** q of (1 - p^q) / q, of which -log p is the limit at 0. */
  readonly q: number;
}

/**
 * The losses of choice rows by name. The bounded one is the generalised cross-entropy with the authors' q (Zhang and Sabuncu
 * 2018, arXiv:1805.07836): no row counts for more than 1 / q, however sure a model is of a wrong answer.
 */
export const choiceLosses = {
  softmax: { formula: "-log p", isNormalised: false, q: 0 },
  "length-normalised": { formula: "-log p with log-likelihoods per character", isNormalised: true, q: 0 },
  bounded: { formula: "(1 - p^0.7) / 0.7", isNormalised: false, q: 0.7 },
} as const satisfies Record<string, ChoiceLoss>;

export type ChoiceLossName = keyof typeof choiceLosses;

export const choiceLossNames = Object.keys(choiceLosses) as ChoiceLossName[];

/**
 * `bounded` tells from fewer rows which of two merges is more accurate, but a search on `softmax` led to merges at least as
 * accurate: bench/RESULTS.md, "Losses of choice rows".
 */
export const defaultLoss: ChoiceLossName = "softmax";

/** Of a text the nats per UTF-8 byte, of a choice the loss that the row names. */
export function rowLoss(row: ScoredRow): RowLoss {
  const usual = row.kind === "text" ? textLoss(row) : choiceLoss(row);
  const { loss = usual.loss, derivative = usual.derivative } = row.scoring ?? {};
  return {
    loss: (values) => (values.every(Number.isFinite) ? loss(values) : NaN),
    derivative: (values) => (values.every(Number.isFinite) ? derivative(values) : values.map(() => NaN)),
  };
}

/** lm_eval counts the code points of an answer without the space, or whatever else is before it. */
export function charactersOf(continuation: string, delimiter = " "): number {
  return Array.from(continuation).length - delimiter.length;
}

/** And its UTF-8 bytes without that. */
export function bytesOf(continuation: string, delimiter = " "): number {
  return Buffer.byteLength(continuation) - delimiter.length;
}

function textLoss({ continuations, label }: ScoredRow): RowLoss {
  const bytes = Buffer.byteLength(continuations[label] ?? "");
  return {
    loss: (values) => -(values[label] ?? NaN) / bytes,
    derivative: (values) => values.map((_, i) => (i === label ? -1 / bytes : 0)),
  };
}

function choiceLoss({ continuations, delimiter, label, loss = defaultLoss }: ScoredRow): RowLoss {
  const { isNormalised, q } = choiceLosses[loss];
  const lengths = continuations.map((continuation) => charactersOf(continuation, delimiter));
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const factors = lengths.map((length) => (isNormalised ? meanLength / length : 1));
  const scaled = (values: readonly number[]): number[] => values.map((value, i) => value * (factors[i] ?? NaN));
  const surprise = (logits: readonly number[]): number => logSumExp(logits) - (logits[label] ?? NaN);
  return {
    loss: (values) => {
      const nats = surprise(scaled(values));
      return q === 0 ? nats : -Math.expm1(-q * nats) / q;
    },
    derivative: (values) => {
      const logits = scaled(values);
      const slope = Math.exp(-q * surprise(logits));
      const total = logSumExp(logits);
      return logits.map((logit, i) => slope * (Math.exp(logit - total) - Number(i === label)) * (factors[i] ?? NaN));
    },
  };
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
