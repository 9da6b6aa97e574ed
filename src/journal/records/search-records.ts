/** The search: its plan, and what was asked and told of each generation. */
import { z } from "zod";
import { listOf, numbersOf } from "../lists.ts";
import { anyName, milliseconds, type PayloadFields, whole } from "./fields.ts";
import { type NumbersRef, numbersRef, type RecordedTime, type RowCounts, rows, time } from "./scored-models.ts";

export interface SearchPayloads {
  /** What the budget was turned into; another budget changes no more than the rows. */
  plan: {
    /** Name of the optimizer. */
    readonly algorithm: string;
    /** Those that have names: the first numbers of a point. */
    readonly genes: readonly string[];
    /** How many genes without a name stand behind them in a point, one for each input column; none unless said. */
    readonly columns?: number;
    /** Values of each named gene at the ends of the unit interval, in units of its parameter. */
    readonly ranges: readonly (readonly [low: number, high: number])[];
    /** The point where the search begins, with the numbers of all genes; every plan of a run refers to those of the first. */
    readonly start: NumbersRef;
    /** Points of the first generation beside it, one after another, where there are any. */
    readonly inject?: NumbersRef;
    /** Of a generation, with its reference; more where the search begins again. */
    readonly candidates: number;
    readonly rowFraction: number;
    readonly elapsedMs: number;
  };
  /** All points of a generation, in the unit cube, and how many rows of each task they meet. */
  ask: {
    readonly generation: number;
    /** One after another. */
    readonly points: NumbersRef;
    readonly rows: RowCounts;
    /**
     * So many parts of the rows are differentiated one after another, and all but the last recorded; one unless said. It is
     * recorded before them, since the sum of other parts has other bits.
     */
    readonly parts?: number;
  };
  /** What became of the points, in their order. */
  result: {
    readonly generation: number;
    /** Combined. */
    readonly losses: readonly number[];
    /** Index of the point that shows how far the search is: a distribution's mean, or the best of what walks. */
    readonly reference: number;
    /** By candidate, then by task. */
    readonly rowLosses: NumbersRef;
    /** Of the combined losses by the coordinates, by candidate, where the optimizer wants them. */
    readonly gradients?: NumbersRef;
    /** In forward passes over all search rows. */
    readonly work: number;
    /** Part of what the search could spend that was spent then, from 0 to 1. */
    readonly spent: number;
    readonly time: RecordedTime;
    readonly elapsedMs: number;
  };
}

const losses = numbersOf("numbers", () => true);

export const searchFields: PayloadFields<SearchPayloads> = {
  plan: {
    algorithm: anyName,
    genes: listOf<string>(anyName, 1),
    columns: whole.min(1).exactOptional(),
    ranges: listOf(z.tuple([z.number(), z.number()])),
    start: numbersRef,
    inject: numbersRef.exactOptional(),
    candidates: z.int().min(1).max(100_000),
    rowFraction: z.number().positive().max(1),
    elapsedMs: milliseconds,
  },
  ask: { generation: whole, points: numbersRef, rows, parts: whole.min(2).exactOptional() },
  result: {
    generation: whole,
    losses,
    reference: whole,
    rowLosses: numbersRef,
    gradients: numbersRef.exactOptional(),
    work: z.number().min(0),
    spent: z.number().min(0).max(1),
    time,
    elapsedMs: milliseconds,
  },
};
