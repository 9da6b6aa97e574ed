/** What a run is of: recorded as it begins, and again where it is given another budget or other places. */
import { z } from "zod";
import { listOf, mapOf } from "../lists.ts";
import { anyName, hexadecimal, objectOf, type PayloadFields, whole } from "./fields.ts";

/** What may end a run, as a budget of its experiment. */
export type RecordedBudget = { readonly seconds: number } | { readonly evaluations: number };

/** Where models and rows of a run are that were moved: folders and files by path, models of the Hub by pinned name. */
export interface MovedPlaces {
  readonly base?: string;
  /** By expert. */
  readonly experts?: Readonly<Record<string, string>>;
  /** By task. */
  readonly rows?: Readonly<Record<string, readonly string[]>>;
  /** By task with guard rows of its own. */
  readonly guard?: Readonly<Record<string, readonly string[]>>;
}

export interface OpeningPayloads {
  /** Identity of everything that decides the run; a resumed run must find it unchanged. */
  start: {
    readonly format: number;
    /** Of the run, absolute; paths of the experiment are relative to it, where the two share a folder. */
    readonly folder: string;
    /** When the run began, in ISO 8601; earlier versions did not say. */
    readonly began?: string;
    readonly experiment: unknown;
    readonly identity: Readonly<Record<string, string>>;
    readonly versions: Readonly<Record<string, string>>;
    /** How many rows of each task are used, where the budget had no time to tokenise all. */
    readonly drawn?: Readonly<Record<string, { readonly search: number; readonly guard: number }>>;
    /** How many each task has, where not all are used. */
    readonly outOf?: Readonly<Record<string, { readonly search: number; readonly guard: number }>>;
    /** Into how many parts the rows of each gradient are dealt at least, where that is more than one: sums of other parts have other bits. */
    readonly parts?: number;
    /** How many winners the guard rows had judged before, in the runs that this one descends from. */
    readonly looks?: number;
    /** What those searched on and this one does not: ids and groups of rows. */
    readonly searched?: readonly string[];
  };
  /** What the parents' tensors held when they were first read, before anything scored with them: a line by tensor. */
  parents: { readonly tensors: Readonly<Record<string, Readonly<Record<string, string>>>> };
  /** A budget that takes the place of the one before, from here on; what it has room for is planned anew. */
  budget: { readonly budget: RecordedBudget };
  /** Where models and rows were found that were moved, proved to be the same; paths are recorded as in the start. */
  moved: { readonly folder: string } & MovedPlaces;
}

/** `tensorLine` of the checkpoint. */
const tensorLine = z.string().regex(/^[a-z0-9]{1,8} \[[\d,]{0,256}\] [0-9a-f]{64}$/, "a dtype, a shape and a sha256");

const budget: z.ZodType<RecordedBudget> = z.union([
  z.strictObject({ seconds: z.number().positive() }),
  z.strictObject({ evaluations: z.int().min(1).max(1e9) }),
]);

const sides = mapOf(objectOf<{ search: number; guard: number }>({ search: whole, guard: whole }));

export const openingFields: PayloadFields<OpeningPayloads> = {
  start: {
    format: whole,
    folder: anyName,
    began: z.iso.datetime().exactOptional(),
    // What an experiment is, is known further up, to `recordedExperiment`.
    experiment: z.record(z.string(), z.unknown()),
    identity: mapOf(z.string()),
    versions: mapOf(z.string()),
    drawn: sides.exactOptional(),
    outOf: sides.exactOptional(),
    parts: whole.min(2).exactOptional(),
    looks: whole.exactOptional(),
    searched: listOf<string>(hexadecimal, 1).exactOptional(),
  },
  parents: { tensors: mapOf(mapOf(tensorLine)) },
  budget: { budget },
  moved: {
    folder: anyName,
    base: anyName.exactOptional(),
    experts: mapOf(anyName).exactOptional(),
    rows: mapOf(listOf(anyName, 1)).exactOptional(),
    guard: mapOf(listOf(anyName, 1)).exactOptional(),
  },
};
