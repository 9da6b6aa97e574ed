import { Pace } from "../evaluate/pace.ts";
import type { JournalRecord, RecordedTime } from "../journal/records.ts";

/** How long scoring takes, of what is compared and of what only steers the search. */
export interface Paces {
  readonly evaluator: Pace;
  readonly signal: Pace;
}

/** What the records of a run tell of it, its slowest moment too; `isOne` where one evaluator does both. */
export function pacesOf(records: readonly JournalRecord[], isOne: boolean): Paces {
  const evaluator = new Pace();
  const paces = { evaluator, signal: isOne ? evaluator : new Pace() };
  for (const record of records) {
    const isSignal = record.type === "result" || (record.type === "part" && record.of === "result");
    for (const time of timesOf(record)) paces[isSignal ? "signal" : "evaluator"].learn(time);
  }
  return paces;
}

function timesOf(record: JournalRecord): readonly RecordedTime[] {
  if (record.type === "forecast") return [record.firstTime, record.time];
  return "time" in record && record.time ? [record.time] : [];
}
