/** What records say of models on rows: scores, losses, times. */
import { z } from "zod";
import type { Recipe } from "../../merge/recipe.ts";
import { mapOf } from "../lists.ts";
import { recipeSchema } from "../recipe-schema.ts";
import { anyName, type FieldsOf, hexadecimal, measured, milliseconds, objectOf, whole } from "./fields.ts";

/** Where numbers lie in the side file of the journal. */
export interface NumbersRef {
  /** In bytes. */
  readonly offset: number;
  readonly count: number;
  readonly checksum: string;
}

/** Mean scores of one model, by task. */
export type TaskScores = Readonly<Record<string, TaskScore>>;

/** Means over rows of one task. */
export interface TaskScore {
  readonly loss: number;
  readonly accuracy?: number;
  /** Of what a plugin's task measures beside, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Numbers of rows, by task. */
export type RowCounts = Readonly<Record<string, number>>;

/** What a scoring was of, and its wall-clock time: from such times the run plans what is to come. */
export interface RecordedTime {
  readonly models: number;
  /** Tokens of each model that layers compute. */
  readonly tokens: number;
  readonly passes: number;
  readonly ms: number;
  /** How much of it was spent waiting for the parents' weights. */
  readonly waitMs: number;
}

/** What a model has scored. */
export interface ModelLosses {
  readonly name: string;
  readonly scores: TaskScores;
  /** Combined loss; 1 is the uniform average on the search rows. */
  readonly loss: number;
}

/** A model and its mean scores on a set of rows. */
export interface ScoredModel extends ModelLosses {
  readonly recipe: Recipe;
}

/** Of one record: candidates times rows; a gibibyte of them. */
const MAX_NUMBERS = 2 ** 27;

export const numbersRef = objectOf<NumbersRef>({
  offset: whole.multipleOf(Float64Array.BYTES_PER_ELEMENT),
  count: whole.max(MAX_NUMBERS),
  checksum: hexadecimal.length(8),
});

export const scores: z.ZodType<TaskScores> = mapOf(
  objectOf<TaskScore>({
    loss: measured,
    accuracy: measured.exactOptional(),
    metrics: mapOf(measured).exactOptional(),
  }),
);

export const rows: z.ZodType<RowCounts> = mapOf(whole);

export const time = objectOf<RecordedTime>({
  models: whole,
  tokens: whole,
  passes: whole,
  ms: milliseconds,
  waitMs: milliseconds,
});

export const scoreFields: FieldsOf<ModelLosses> = { name: anyName, scores, loss: measured };

export const scoredFields: FieldsOf<ScoredModel> = { ...scoreFields, recipe: recipeSchema };
