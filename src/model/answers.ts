/** What a model says of the targets of a batch. */
import { argmax, logProbability, type Expression } from "../device/expression.ts";
import type { State } from "./architecture.ts";
import type { TargetSlice } from "./token-batch.ts";

/** The state behind the last stage; `logitsOf` gives those of rows of `reads`, f32 [rows, vocabulary]. */
export function answers(targets: readonly TargetSlice[], logitsOf: (rows: Expression) => Expression): State {
  const answer = ({ rows, tokens }: TargetSlice): Expression =>
    tokens ? logProbability(logitsOf(rows), tokens) : argmax(logitsOf(rows));
  return Object.fromEntries(targets.map((slice, i) => [`targets ${i}`, answer(slice)]));
}
