/** What a run writes down: one record a step, in the order in which the steps were taken. */
import type { BaselinePayloads } from "./records/baseline-records.ts";
import type { FinishPayloads } from "./records/finish-records.ts";
import type { OpeningPayloads } from "./records/opening-records.ts";
import type { PartPayloads, ScoringStep } from "./records/part-records.ts";
import type { SearchPayloads } from "./records/search-records.ts";

export type { RecordedRung } from "./records/baseline-records.ts";
export type { FrontMember, Gain, GuardedModel, JudgedPick, TextScores } from "./records/finish-records.ts";
export type { MovedPlaces, RecordedBudget } from "./records/opening-records.ts";
export type { ScoringScope, ScoringStep } from "./records/part-records.ts";
export type {
  ModelLosses,
  NumbersRef,
  RecordedTime,
  RowCounts,
  ScoredModel,
  TaskScore,
  TaskScores,
} from "./records/scored-models.ts";

/** Version of the journal's files. */
export const JOURNAL_FORMAT = 7;

/** How the best merge of a search is named; no expert can have a name with a space. */
export const EVOLVED = "evolved merge";

/** Every kind of record, by its type. */
export interface RecordPayloads
  extends OpeningPayloads, PartPayloads, BaselinePayloads, SearchPayloads, FinishPayloads {}

export type RecordType = keyof RecordPayloads;

/** Of a step that takes long: what was scored of it so far. */
export type PartType = keyof PartPayloads;

/** The steps of a run; the other records say more of them. */
export type StepType = Exclude<RecordType, keyof OpeningPayloads | PartType>;

/** The step that a part is of. */
export function stepOf(part: Extract<JournalRecord, { readonly type: PartType }>): ScoringStep {
  return part.type === "part" ? part.of : "result";
}

/** Whether a record is of what was scored of a step, and not the step itself. */
export function isPart(record: JournalRecord): record is Extract<JournalRecord, { readonly type: PartType }> {
  return record.type === "part" || record.type === "gradient";
}

export type StartRecord = { readonly type: "start" } & RecordPayloads["start"];

/** A record as it is told to the journal. */
export type JournalRecord =
  | StartRecord
  | { [Type in Exclude<RecordType, "start">]: { readonly type: Type } & RecordPayloads[Type] }[Exclude<
      RecordType,
      "start"
    >];
