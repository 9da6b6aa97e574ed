/** How the models that a search is measured by were scored, and what their time let expect. */
import { z } from "zod";
import { listOf, mapOf } from "../lists.ts";
import { anyName, type FieldsOf, milliseconds, objectOf, type PayloadFields, whole } from "./fields.ts";
import {
  type NumbersRef,
  numbersRef,
  type RecordedTime,
  type RowCounts,
  rows,
  scoredFields,
  type ScoredModel,
  scores,
  time,
} from "./scored-models.ts";

/** Models on a stretch of the search rows in the order in which rows are taken. */
export interface RecordedRung {
  readonly models: readonly Pick<ScoredModel, "name" | "scores">[];
  readonly from: RowCounts;
  readonly to: RowCounts;
  /** By model, then by task. */
  readonly rowLosses: NumbersRef;
  readonly time: RecordedTime;
  readonly elapsedMs: number;
}

export interface BaselinePayloads {
  /** The uniform average on a few rows, and what follows from its time. */
  forecast: RecordedRung & {
    /** Of the fewer rows that were scored before these. */
    readonly firstTime: RecordedTime;
    /** Expected wall-clock times of the baselines, of a generation with its mean, and of all after the search. */
    readonly baselinesMs: number;
    readonly generationMs: number;
    readonly finishMs: number;
    /** Generations that the budget has room for. */
    readonly generations: number;
    /** A budget of time that has room for everything. */
    readonly wholeMs: number;
    /** Whether the budget is so small that things are left out, or few generations remain. */
    readonly isSmall: boolean;
  };
  /** Baselines on one stretch of the search rows. */
  rung: RecordedRung;
  /** Baselines on all rows that each of them met: those that did worse met fewer. */
  baselines: {
    readonly models: readonly (ScoredModel & { readonly rows: RowCounts })[];
    /** Names of those that the budget had no room for. */
    readonly skipped: readonly string[];
    /** Mean loss of the uniform average, by task. */
    readonly scales: Readonly<Record<string, number>>;
    readonly elapsedMs: number;
  };
}

const rungFields: FieldsOf<RecordedRung> = {
  models: listOf(objectOf<RecordedRung["models"][number]>({ name: anyName, scores }), 1),
  from: rows,
  to: rows,
  rowLosses: numbersRef,
  time,
  elapsedMs: milliseconds,
};

export const baselineFields: PayloadFields<BaselinePayloads> = {
  forecast: {
    ...rungFields,
    firstTime: time,
    baselinesMs: milliseconds,
    generationMs: milliseconds,
    finishMs: milliseconds,
    generations: whole,
    wholeMs: milliseconds,
    isSmall: z.boolean(),
  },
  rung: rungFields,
  baselines: {
    models: listOf(objectOf<BaselinePayloads["baselines"]["models"][number]>({ ...scoredFields, rows }), 1),
    skipped: listOf<string>(anyName),
    scales: mapOf(z.number().positive()),
    elapsedMs: milliseconds,
  },
};
