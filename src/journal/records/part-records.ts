/** What was scored of a step that takes long, so that a crash costs no more than the last part. */
import { z } from "zod";
import { listOf } from "../lists.ts";
import { anyName, milliseconds, objectOf, type PayloadFields, whole } from "./fields.ts";
import { type NumbersRef, numbersRef, type RecordedTime, type RowCounts, rows, time } from "./scored-models.ts";

/** Steps that score models on rows. */
export type ScoringStep = "rung" | "result" | "finalists" | "verdict";

/** What a step that takes long scores, decided when it begins: models by name, and rows as far as they are taken. */
export interface ScoringScope {
  readonly models: readonly string[];
  readonly rows: RowCounts;
}

export interface PartPayloads {
  /** What was scored of a step that takes long, for a resumed run to go on from. */
  part: {
    readonly of: ScoringStep;
    /** Token batches of the step that were scored, after those of its earlier parts. */
    readonly batches: number;
    /** Of the prompts in these batches, by candidate. */
    readonly logLikelihoods: NumbersRef;
    /** Where the step itself is to say it: what was begun is gone on with. */
    readonly scope?: ScoringScope;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
  /** Losses and gradients of the next part of a generation's rows, where these are recorded in parts. */
  gradient: {
    /** By candidate, then by task, as they lie in that part. */
    readonly rowLosses: NumbersRef;
    /** Of the part's share of the combined losses by the coordinates, by candidate. */
    readonly gradients: NumbersRef;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
}

export const partFields: PayloadFields<PartPayloads> = {
  part: {
    of: z.enum(["rung", "result", "finalists", "verdict"]),
    batches: whole.min(1),
    logLikelihoods: numbersRef,
    scope: objectOf<ScoringScope>({ models: listOf<string>(anyName), rows }).exactOptional(),
    time,
    elapsedMs: milliseconds,
  },
  gradient: { rowLosses: numbersRef, gradients: numbersRef, time, elapsedMs: milliseconds },
};
