/** What a model says of the targets of a batch. */
import { argmax, logProbability, type Expression } from "../device/expression.ts";
import type { State } from "./architecture.ts";
import type { TargetSlice } from "./token-batch.ts";

/** What the state behind the last stage has of a slice: log-probabilities of its targets, or the most likely tokens, or both. */
export function answerNames(slice: number): { readonly logProbability: string; readonly mostLikely: string } {
  return { logProbability: `targets ${slice}`, mostLikely: `most likely ${slice}` };
}

/** The state behind the last stage; `logitsOf` gives those of rows of `reads`, f32 [rows, vocabulary]. */
export function answers(targets: readonly TargetSlice[], logitsOf: (rows: Expression) => Expression): State {
  const answersOf = ({ rows, tokens, wantsMostLikely = !tokens }: TargetSlice, i: number): [string, Expression][] => {
    const logits = logitsOf(rows);
    const names = answerNames(i);
    return [
      ...(tokens ? [[names.logProbability, logProbability(logits, tokens)] satisfies [string, Expression]] : []),
      ...(wantsMostLikely ? [[names.mostLikely, argmax(logits)] satisfies [string, Expression]] : []),
    ];
  };
  return Object.fromEntries(targets.flatMap(answersOf));
}
