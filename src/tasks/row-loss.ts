import type { TaskRow } from "./rows.ts";

/**
 * What a search minimises of one row, as a function of the log-likelihoods of its continuations: natural logarithms,
 * summed over tokens, in the row's order. Where any of them is not finite, everything is NaN.
 */
export interface RowLoss {
  /** In nats; of a text in nats per UTF-8 byte. */
  readonly loss: (logLikelihoods: readonly number[]) => number;
  /** Of the loss by each log-likelihood. */
  readonly derivative: (logLikelihoods: readonly number[]) => number[];
}

type ScoredRow = Pick<TaskRow, "kind" | "continuations" | "label">;

/** The losses of choice rows by name. */
const choiceLosses = { softmax: softmaxLoss } satisfies Record<string, (row: ScoredRow) => RowLoss>;

/** The loss of a row: of a text its surprise per byte, of a choice the surprise at the right answer among the answers. */
export function rowLoss(row: ScoredRow): RowLoss {
  const { loss, derivative } = row.kind === "text" ? textLoss(row) : choiceLosses.softmax(row);
  return {
    loss: (values) => (values.every(Number.isFinite) ? loss(values) : NaN),
    derivative: (values) => (values.every(Number.isFinite) ? derivative(values) : values.map(() => NaN)),
  };
}

function textLoss({ continuations, label }: ScoredRow): RowLoss {
  const bytes = Buffer.byteLength(continuations[label] ?? "");
  return {
    loss: (values) => -(values[label] ?? NaN) / bytes,
    derivative: (values) => values.map((_, i) => (i === label ? -1 / bytes : 0)),
  };
}

/** Cross-entropy of the softmax over the answers' log-likelihoods. */
function softmaxLoss({ label }: ScoredRow): RowLoss {
  return {
    loss: (values) => logSumExp(values) - (values[label] ?? NaN),
    derivative: (values) => {
      const total = logSumExp(values);
      return values.map((value, i) => Math.exp(value - total) - Number(i === label));
    },
  };
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
