/** Runs beside each other, from their journals: nothing is scored again, and no run is disturbed. */
import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { realPath } from "../../files/real-path.ts";
import { type JournalView, readJournal } from "../../journal/journal.ts";
import type { GuardedModel } from "../../journal/records.ts";
import { type Standing, standingOf } from "../../journal/standing.ts";
import type { ObjectiveTask } from "../../run/session/objective.ts";
import type { ProvenTasksOptions } from "../../run/recorded/proven-tasks.ts";
import { experimentOf } from "../../run/recorded/recorded-run.ts";
import { type JudgedGain, judgeGains, percentOf } from "../judgement.ts";
import { readWriter, type RunStatus, statusOf } from "../runs/run-status.ts";
import type { Table } from "../table.ts";
import { candidatesOf, type CostPoint, courseOf } from "../view/course-view.ts";
import { ShortNames } from "../view/short-text.ts";
import { guardRowsOrWhyNot } from "../write-report.ts";
import { differencesBetween } from "./experiment-settings.ts";
import { type GuardedWinner, guardedWinner, sharedGains } from "./shared-guard.ts";

/** Runs beside each other, as plain data. */
export interface RunsComparison {
  /** As they were given: winners are compared with that of the first. */
  readonly runs: readonly ComparedRun[];
  readonly gains: readonly WinnersGain[];
  /** Why winners do not compare, or not on all rows. */
  readonly notes: readonly string[];
  /** What differs between the experiments. */
  readonly differences: Table;
}

export interface ComparedRun {
  /** No two have the same. */
  readonly name: string;
  readonly status: RunStatus;
  /** The winner on the guard rows of its own run; absent where it has not met them. Combined, 1 is that run's uniform average. */
  readonly guard?: Pick<GuardedModel, "loss" | "scores" | "intervals">;
  /** Every candidate that was better than all before it. */
  readonly best: readonly CostPoint[];
}

/** What a run's winner gains over the first run's on the guard rows that both met, in the objective of the first. */
export interface WinnersGain {
  readonly name: string;
  /** Corrected for the number of runs, and for how often the guard rows were looked at. */
  readonly combined: JudgedGain;
  /** By task; not corrected. */
  readonly tasks: NonNullable<GuardedModel["gains"]>["tasks"];
  readonly rows: Readonly<Record<string, number>>;
}

interface ReadRun {
  readonly folder: string;
  readonly name: string;
  readonly view: JournalView;
  readonly standing: Standing;
  readonly experiment: Experiment | undefined;
  readonly winner: GuardedWinner | string;
}

/** A UserError where a folder is no run that can be read, or is named twice. */
export async function compareRuns(
  folders: readonly string[],
  options: ProvenTasksOptions = {},
): Promise<RunsComparison> {
  requireSeveral(folders);
  const runs: ReadRun[] = [];
  for (const [i, name] of namesOf(folders).entries()) runs.push(await readRun(folders[i] ?? "", name, options));
  const { gains, notes } = gainsOverFirst(runs);
  return {
    runs: runs.map(comparedRun),
    gains,
    notes,
    differences: differencesBetween(
      runs.map(({ name }) => name),
      runs.map(({ experiment, view: { records } }) => ({ experiment, records })),
    ),
  };
}

function requireSeveral(folders: readonly string[]): void {
  if (folders.length < 2) {
    throw new UserError(
      `expected the folders of two runs or more, found ${folders[0] ?? "none"}; name another beside it`,
    );
  }
  const real = folders.map(realPath);
  const twice = real.findIndex((path, i) => real.indexOf(path) !== i);
  if (twice !== -1) throw new UserError(`${folders[twice]} is named twice: expected different runs`);
}

/** Their own names, or their paths where two have the same. */
function namesOf(folders: readonly string[]): readonly string[] {
  const own = folders.map((folder) => realPath(folder).split(/[\\/]/).at(-1) ?? folder);
  const names = new ShortNames();
  return folders.map((folder, i) => names.of(new Set(own).size === own.length ? (own[i] ?? folder) : folder));
}

async function readRun(folder: string, name: string, options: ProvenTasksOptions): Promise<ReadRun> {
  const view = readJournal(folder);
  const standing = standingOf(view.records);
  const experiment = experimentIn(folder, view);
  return { folder, name, view, standing, experiment, winner: await winnerOf(folder, name, view, standing, options) };
}

/** Undefined where a journal has none that can be read: what there is of it is compared all the same. */
function experimentIn(folder: string, { records }: JournalView): Experiment | undefined {
  try {
    return experimentOf(folder, records);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Or why it cannot be compared. */
async function winnerOf(
  folder: string,
  name: string,
  view: JournalView,
  standing: Standing,
  options: ProvenTasksOptions,
): Promise<GuardedWinner | string> {
  if (!standing.winner) return `${name} has no winner yet, so that it is compared with none.`;
  if (!standing.verdict) return `The winner of ${name} has not met its guard rows, so that it is compared with none.`;
  const rows = await guardRowsOrWhyNot(folder, view, options);
  if (typeof rows === "string") return `The winner of ${name} is compared with none, without its guard rows: ${rows}`;
  return (
    guardedWinner(view, standing, rows) ??
    `The winner of ${name} is compared with none: its losses are not those of its guard rows.`
  );
}

function comparedRun({ folder, name, view, standing }: ReadRun): ComparedRun {
  const guarded = standing.verdict?.models.find(({ kind }) => kind === "winner");
  return {
    name,
    status: statusOf(folder, view.records, readWriter(folder)),
    ...(guarded && { guard: { loss: guarded.loss, scores: guarded.scores, intervals: guarded.intervals } }),
    best: courseOf(candidatesOf(view), standing, new ShortNames()).best,
  };
}

function gainsOverFirst([first, ...others]: readonly ReadRun[]): Pick<RunsComparison, "gains" | "notes"> {
  const notes = [first, ...others].flatMap((run) => (typeof run?.winner === "string" ? [run.winner] : []));
  const objective = first && objectiveOf(first);
  if (!first || typeof first.winner === "string" || !objective) return { gains: [], notes };
  const found: (Omit<WinnersGain, "combined"> & { readonly combined: WinnersGain["tasks"][string] })[] = [];
  for (const { name, winner } of others) {
    if (typeof winner === "string") continue;
    const shared = sharedGains(winner, first.winner, objective, first.experiment?.seed ?? 0);
    if (shared) found.push({ name, combined: shared.gains.combined, tasks: shared.gains.tasks, rows: shared.rows });
    notes.push(...sharingNotes({ name, winner }, { name: first.name, winner: first.winner }, shared?.rows));
  }
  const looks = Math.max(...[first, ...others].map(({ standing }) => standing.looks), 1);
  const judged = judgeGains(
    found.map(({ combined }) => combined),
    ({ gain }) => percentOf(gain, first.standing.verdict?.models.find(({ kind }) => kind === "winner")?.loss),
    looks,
  );
  return { gains: found.flatMap((own, i) => (judged[i] ? [{ ...own, combined: judged[i] }] : [])), notes };
}

interface Named {
  readonly name: string;
  readonly winner: GuardedWinner;
}

/** What two winners are not compared on. */
function sharingNotes(own: Named, first: Named, shared: WinnersGain["rows"] | undefined): string[] {
  if (!shared)
    return [
      `${own.name} and ${first.name} have no guard row in common that both judge alike, so that their winners do not compare.`,
    ];
  const tasks = [...new Set([own, first].flatMap(({ winner }) => Object.keys(winner.rows)))];
  const parts = tasks.flatMap((task) => {
    const counts = [own, first].map(({ winner }) => winner.rows[task]?.length ?? 0);
    const count = shared[task] ?? 0;
    return counts.every((all) => all === count) ? [] : [`${count} of ${task} (of ${counts.join(" and ")})`];
  });
  return parts.length === 0
    ? []
    : [
        `The winners of ${own.name} and ${first.name} are compared on the guard rows that both met: ${parts.join(", ")}.`,
      ];
}

/** By weight, with the unit of its own search rows; undefined where no baseline was scored. */
function objectiveOf({ experiment, standing }: ReadRun): readonly ObjectiveTask[] | undefined {
  const scales = standing.baselines?.scales;
  if (!scales) return undefined;
  const weights = new Map(experiment?.tasks.map(({ name, weight }) => [name, weight]));
  return Object.entries(scales).map(([name, scale]) => ({ name, scale, weight: weights.get(name) ?? 1 }));
}
