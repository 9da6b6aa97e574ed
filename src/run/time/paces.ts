import { Pace } from "../../evaluate/pace.ts";
import type { JournalRecord, RecordedTime } from "../../journal/records.ts";
import { GRADIENT_PASSES } from "../../search/optimizers.ts";

/** How long scoring takes, of what is compared and of what only steers the search, and how long with gradients. */
export interface Paces {
  readonly evaluator: Pace;
  readonly signal: Pace;
  readonly gradient: Pace;
}

/** What the records of a run tell of it, its slowest moment too; `isOne` where one evaluator does both. */
export function pacesOf(records: readonly JournalRecord[], isOne: boolean): Paces {
  const evaluator = new Pace();
  const paces = { evaluator, signal: isOne ? evaluator : new Pace(), gradient: new Pace() };
  for (const record of records) for (const time of timesOf(record)) paces[paceOf(record)].learn(time);
  return paces;
}

/** Whose pace it is that a record tells of. */
function paceOf(record: JournalRecord): keyof Paces {
  if (record.type === "gradient") return "gradient";
  if (record.type === "result") return record.gradients ? "gradient" : "signal";
  return record.type === "part" && record.of === "result" ? "signal" : "evaluator";
}

/**
 * The pace of what was timed, and how many times its milliseconds something takes: before the first gradient, and before what
 * steers was scored, by the pace of what is nearest.
 */
export function knownPace(paces: Paces, by: keyof Paces): { readonly pace: Pace; readonly times: number } {
  if (paces[by].isKnown || by === "evaluator") return { pace: paces[by], times: 1 };
  if (by === "signal") return { pace: paces.evaluator, times: 1 };
  return { pace: knownPace(paces, "signal").pace, times: GRADIENT_PASSES };
}

function timesOf(record: JournalRecord): readonly RecordedTime[] {
  if (record.type === "forecast") return [record.firstTime, record.time];
  return "time" in record && record.time ? [record.time] : [];
}
