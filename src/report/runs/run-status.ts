import { basename, resolve } from "node:path";
import type { Budget } from "../../experiment/experiment.ts";
import { elapsedMsOf } from "../../journal/elapsed.ts";
import { readJournal } from "../../journal/journal.ts";
import { EVOLVED, type JournalRecord, type RecordPayloads } from "../../journal/records.ts";
import { type Standing, standingOf } from "../../journal/standing.ts";
import { type Writer, WriterLock } from "../../journal/writer-lock.ts";
import { type FrontPick, picksOf } from "../../run/finish/front.ts";
import { evaluationsOf } from "../../run/recorded/recorded-run.ts";
import { type Judgement, judgeModels } from "../judgement.ts";
import { budgetOf } from "../run-facts.ts";
import { notableBaselines } from "../view/notable-baselines.ts";
import { lastPhase, type RunPhase } from "../view/time-view.ts";

/**
 * Whether a process writes to a run (`running`), or may do so where it cannot be seen from here (`held`); else whether the run is
 * over, ended with a winner that has not met the guard rows (`unjudged`), or ended before.
 */
export type RunState = "running" | "held" | "finished" | "unjudged" | "interrupted";

/** How a run stands, as plain data that JSON can hold. */
export interface RunStatus {
  readonly folder: string;
  readonly name: string;
  readonly state: RunState;
  /** Who has its folder. */
  readonly writer?: Writer;
  /** In ISO 8601; earlier versions did not say. */
  readonly began?: string;
  /** What the last record is of. */
  readonly phase: RunPhase;
  /** Time up to the last record, in milliseconds. */
  readonly elapsedMs: number;
  /** Absent where the experiment cannot be read. */
  readonly budget?: Budget;
  /** Used part of the budget. */
  readonly share?: number;
  readonly generations: number;
  /** As a budget counts them. */
  readonly evaluations: number;
  /** The winner, or else what was best so far. */
  readonly best?: BestModel;
  /** On the search rows. */
  readonly baselines: readonly NamedModelLoss[];
  /** Members of the front, where tasks are objectives of their own, and which of them stand for it. */
  readonly front?: { readonly members: number; readonly picks: readonly StatusPick[] };
  /** How the winner compares with the best other model on the guard rows. */
  readonly found?: FoundGain;
}

export interface StatusPick extends FrontPick {
  /** Others that nobody can beat either, which it stands for. */
  readonly alike: number;
}

/** A model's combined loss, of which 1 is the uniform average's; null where it was not measured or is not finite. */
export interface NamedModelLoss {
  readonly name: string;
  readonly loss: number | null;
}

export interface BestModel extends NamedModelLoss {
  /** Whether it is one of the search, with its loss on the rows of its generation; other losses are on the search rows. */
  readonly isCandidate: boolean;
}

export interface FoundGain {
  readonly over: string;
  readonly judgement: Judgement;
  /** As in "by 12.3 %"; empty where it is neither better nor worse. */
  readonly amount: string;
}

/** Reads how a run stands, without its lock and without writing; a UserError where there is none, or it cannot be read. */
export function readRunStatus(folder: string): {
  readonly status: RunStatus;
  readonly records: readonly JournalRecord[];
} {
  // Before the journal: whoever ends between the two has written all of it.
  const writer = readWriter(folder);
  const { records } = readJournal(folder);
  return { status: statusOf(folder, records, writer), records };
}

/** Who has a run's folder; undefined, too, where the folder is none, of which the journal tells. */
export function readWriter(folder: string): Writer | undefined {
  try {
    return WriterLock.holder(folder);
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  }
}

export function statusOf(folder: string, records: readonly JournalRecord[], writer?: Writer): RunStatus {
  const standing = standingOf(records);
  const [start] = records;
  const began = start?.type === "start" ? start.began : undefined;
  const budget = budgetOf(records);
  const [elapsedMs, evaluations] = [elapsedMsOf(records), evaluationsOf(records)];
  const best = bestOf(records, standing);
  const found = standing.verdict && foundGain(standing.verdict, standing.looks);
  return {
    folder,
    name: basename(resolve(folder)),
    state: writer ? (writer.isSeen ? "running" : "held") : restingState(records, standing),
    ...(writer && { writer }),
    ...(began !== undefined && { began }),
    phase: lastPhase(records),
    elapsedMs,
    ...(budget && {
      budget,
      share: "seconds" in budget ? elapsedMs / (1000 * budget.seconds) : evaluations / budget.evaluations,
    }),
    generations: standing.generations,
    evaluations,
    ...(best && { best }),
    baselines: notableBaselines(standing).map(plainLoss),
    ...(standing.front && { front: { members: standing.front.length, picks: pickedFrom(standing.front) } }),
    ...(found && { found }),
  };
}

function pickedFrom(front: NonNullable<Standing["front"]>): StatusPick[] {
  return picksOf(front).map((pick) => ({ ...pick, alike: front[pick.place - 1]?.alike?.length ?? 0 }));
}

/** Of a run that no process has: another budget, or a part of what comes next, lies behind the end of an earlier one. */
function restingState(records: readonly JournalRecord[], { verdict }: Standing): RunState {
  const last = records.findLast(({ type }) => type !== "moved")?.type;
  if (last === "verdict" || last === "texts") return "finished";
  if (last !== "finalists") return "interrupted";
  // The verdict on the same winner stays.
  return verdict ? "finished" : "unjudged";
}

function bestOf(records: readonly JournalRecord[], { winner, baselines }: Standing): BestModel | undefined {
  if (winner) return { ...plainLoss(winner), isCandidate: false };
  let best: (BestModel & { readonly loss: number }) | undefined;
  const offer = (name: string, loss: number, isCandidate: boolean): void => {
    if (loss < (best?.loss ?? Infinity)) best = { name, loss, isCandidate };
  };
  for (const { name, loss } of baselines?.models ?? []) offer(name, loss, false);
  for (const record of records) {
    if (record.type === "result") for (const loss of record.losses) offer(EVOLVED, loss, true);
  }
  return best;
}

function foundGain({ models }: RecordPayloads["verdict"], looks: number): FoundGain | undefined {
  const others = models.filter(({ kind, loss }) => kind !== "winner" && Number.isFinite(loss));
  const [other] = others.toSorted((a, b) => a.loss - b.loss);
  const gain = other && judgeModels(models, looks).get(other.name)?.combined;
  return gain && { over: other.name, judgement: gain.judgement, amount: gain.amount };
}

/** JSON has no infinities. */
function plainLoss({ name, loss }: { readonly name: string; readonly loss: number }): NamedModelLoss {
  return { name, loss: Number.isFinite(loss) ? loss : null };
}
