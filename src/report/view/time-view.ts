import { type JournalRecord, type RecordedTime, stepOf, isPart } from "../../journal/records.ts";

/** A phase of a run, and the wall-clock time that it took; `waitMs` of it passed waiting for the parents' weights. */
export interface PhaseView {
  readonly phase: string;
  readonly ms: number;
  readonly waitMs: number;
}

const PHASES = {
  opening: "opening, first rows",
  baselines: "baselines",
  search: "search",
  finalists: "finalists",
  guard: "guard rows",
  texts: "texts",
} as const;

export type RunPhase = (typeof PHASES)[keyof typeof PHASES];

/** The phase that the last record is of which took time. */
export function lastPhase(records: readonly JournalRecord[]): RunPhase {
  const last = records.findLast((record) => "elapsedMs" in record);
  return PHASES[last ? phaseOf(last) : "opening"];
}

/** Where the time of a run went up to its last record, by phase; those that took none are left out. */
export function phaseTimes(records: readonly JournalRecord[]): readonly PhaseView[] {
  const times = new Map<string, PhaseView>(Object.values(PHASES).map((phase) => [phase, { phase, ms: 0, waitMs: 0 }]));
  let beganMs = 0;
  for (const record of records) {
    if (!("elapsedMs" in record)) continue;
    const phase = PHASES[phaseOf(record)];
    const before = times.get(phase) ?? { phase, ms: 0, waitMs: 0 };
    const ms = Math.max(0, record.elapsedMs - beganMs);
    const waitMs = Math.min(ms, waitedIn(record));
    times.set(phase, { phase, ms: before.ms + ms, waitMs: before.waitMs + waitMs });
    beganMs = Math.max(beganMs, record.elapsedMs);
  }
  return [...times.values()].filter(({ ms }) => ms > 0);
}

type TimedRecord = Extract<JournalRecord, { readonly elapsedMs: number }>;

function phaseOf(record: TimedRecord): keyof typeof PHASES {
  const step = isPart(record) ? stepOf(record) : record.type;
  switch (step) {
    case "forecast":
      return "opening";
    case "rung":
    case "baselines":
      return "baselines";
    case "plan":
    case "result":
      return "search";
    case "finalists":
      return "finalists";
    case "verdict":
      return "guard";
    case "texts":
      return "texts";
    default:
      return step satisfies never;
  }
}

function waitedIn(record: TimedRecord): number {
  const times: (RecordedTime | undefined)[] = "time" in record ? [record.time] : [];
  if (record.type === "forecast") times.push(record.firstTime);
  return times.reduce((sum, time) => sum + (time?.waitMs ?? 0), 0);
}
