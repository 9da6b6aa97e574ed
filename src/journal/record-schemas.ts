/** What every kind of record must look like before anything relies on it: a checksum proves no origin. */
import { z } from "zod";
import { showUntrusted } from "../files/show-untrusted.ts";
import { listOf, mapOf, numbersOf } from "./lists.ts";
import { recipeSchema } from "./recipe-schema.ts";
import type { Entry } from "./record-line.ts";
import type {
  FrontMember,
  Gain,
  GuardedModel,
  JudgedPick,
  ModelLosses,
  JournalRecord,
  NumbersRef,
  RecordedBudget,
  RecordedRung,
  RecordedTime,
  RecordPayloads,
  RowCounts,
  ScoredModel,
  ScoringScope,
  TaskScores,
  TextScores,
} from "./records.ts";

/** A schema for each key of `T`, optional ones too, so that no field of a record can be forgotten here. */
type Fields<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

/** An object with exactly these keys; those in `optional` may be absent. */
function objectOf<T extends object>(fields: Fields<T>): z.ZodType<T> {
  return z.strictObject(fields) as unknown as z.ZodType<T>;
}

/** Of one record: candidates times rows; a gibibyte of them. */
const MAX_NUMBERS = 2 ** 27;

const name = z.string().min(1).max(4096);
/** Whatever was measured; a model may fail on a row, and its loss is NaN then. */
const measured = z.custom<number>((value) => typeof value === "number", {
  error: ({ input }) => `expected a number, found ${showUntrusted(input)}`,
});
const whole = z.int().min(0);
const milliseconds = z.number().min(0);
const hexadecimal = z.string().regex(/^[0-9a-f]{1,128}$/, "hexadecimal digits");
const interval = z.tuple([measured, measured]);
const losses = numbersOf("numbers", () => true);

/** `tensorLine` of the checkpoint. */
const tensorLine = z.string().regex(/^[a-z0-9]{1,8} \[[\d,]{0,256}\] [0-9a-f]{64}$/, "a dtype, a shape and a sha256");

const numbersRef = objectOf<NumbersRef>({
  offset: whole.multipleOf(Float64Array.BYTES_PER_ELEMENT),
  count: whole.max(MAX_NUMBERS),
  checksum: hexadecimal.length(8),
});

const scores: z.ZodType<TaskScores> = mapOf(
  objectOf<TaskScores[string]>({ loss: measured, accuracy: measured.exactOptional() }),
);

const scoreFields: Fields<ModelLosses> = { name, scores, loss: measured };
const scoredFields: Fields<ScoredModel> = { ...scoreFields, recipe: recipeSchema };

const gain = objectOf<Gain>({ gain: measured, interval, pValue: measured });

const gains = objectOf<NonNullable<GuardedModel["gains"]>>({ combined: gain, tasks: mapOf(gain) });

const guardedModel = objectOf<GuardedModel>({
  ...scoredFields,
  kind: z.enum(["parent", "average", "global", "recipe", "winner"]),
  intervals: mapOf(interval),
  gains: gains.exactOptional(),
});

const frontMember = objectOf<FrontMember>({ of: name, scores, loss: measured });

const judgedPick = objectOf<JudgedPick>({
  place: whole.min(1),
  scores,
  loss: measured,
  intervals: mapOf(interval),
  gains,
});

const share = z.number().min(0).max(1);
const textScores = objectOf<TextScores>({ rouge1: share, rouge2: share, rougeL: share });

const rows: z.ZodType<RowCounts> = mapOf(whole);

const time = objectOf<RecordedTime>({
  models: whole,
  tokens: whole,
  passes: whole,
  ms: milliseconds,
  waitMs: milliseconds,
});

const rungFields: Fields<RecordedRung> = {
  models: listOf(objectOf<RecordedRung["models"][number]>({ name, scores }), 1),
  from: rows,
  to: rows,
  rowLosses: numbersRef,
  time,
  elapsedMs: milliseconds,
};

const budget: z.ZodType<RecordedBudget> = z.union([
  z.strictObject({ seconds: z.number().positive() }),
  z.strictObject({ evaluations: z.int().min(1).max(1e9) }),
]);

const sides = mapOf(objectOf<{ search: number; guard: number }>({ search: whole, guard: whole }));

const payloads: { readonly [Type in keyof RecordPayloads]: Fields<RecordPayloads[Type]> } = {
  start: {
    format: whole,
    folder: name,
    began: z.iso.datetime().exactOptional(),
    // What an experiment is, is known further up, to `recordedExperiment`.
    experiment: z.record(z.string(), z.unknown()),
    identity: mapOf(z.string()),
    versions: mapOf(z.string()),
    drawn: sides.exactOptional(),
    outOf: sides.exactOptional(),
    looks: whole.exactOptional(),
    searched: listOf<string>(hexadecimal, 1).exactOptional(),
  },
  parents: { tensors: mapOf(mapOf(tensorLine)) },
  budget: { budget },
  moved: {
    folder: name,
    base: name.exactOptional(),
    experts: mapOf(name).exactOptional(),
    rows: mapOf(listOf(name, 1)).exactOptional(),
    guard: mapOf(listOf(name, 1)).exactOptional(),
  },
  part: {
    of: z.enum(["rung", "result", "finalists", "verdict"]),
    batches: whole.min(1),
    logLikelihoods: numbersRef,
    scope: objectOf<ScoringScope>({ models: listOf<string>(name), rows }).exactOptional(),
    time,
    elapsedMs: milliseconds,
  },
  gradient: { rowLosses: numbersRef, gradients: numbersRef, time, elapsedMs: milliseconds },
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
    models: listOf(objectOf<RecordPayloads["baselines"]["models"][number]>({ ...scoredFields, rows }), 1),
    skipped: listOf<string>(name),
    scales: mapOf(z.number().positive()),
    elapsedMs: milliseconds,
  },
  plan: {
    algorithm: name,
    genes: listOf<string>(name, 1),
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
  finalists: {
    models: listOf(objectOf<ModelLosses>(scoreFields)),
    winner: objectOf<ScoredModel>(scoredFields),
    front: listOf(frontMember, 1).exactOptional(),
    rows: rows.exactOptional(),
    rowLosses: numbersRef.exactOptional(),
    time: time.exactOptional(),
    elapsedMs: milliseconds,
  },
  verdict: {
    models: listOf(guardedModel, 1),
    picks: listOf(judgedPick, 1).exactOptional(),
    groups: mapOf(z.number().min(0)),
    weightsDigest: hexadecimal,
    rows,
    outOf: rows,
    rowLosses: numbersRef,
    time,
    elapsedMs: milliseconds,
  },
  texts: {
    models: listOf(objectOf<RecordPayloads["texts"]["models"][number]>({ name, scores: mapOf(textScores) }), 1),
    rows,
    elapsedMs: milliseconds,
  },
};

/** The schema of each kind of record, its type included. */
const recordSchemas = Object.entries(payloads).map(([type, fields]) =>
  z.strictObject({ type: z.literal(type), ...fields }),
);

/** Checks what a line holds, but not whether it follows on the lines before. */
export const entrySchema: z.ZodType<Entry> = objectOf<Entry>({
  sequence: whole,
  numberBytes: whole.multipleOf(Float64Array.BYTES_PER_ELEMENT),
  record: z.discriminatedUnion(
    "type",
    recordSchemas as [(typeof recordSchemas)[number]],
  ) as unknown as z.ZodType<JournalRecord>,
});
