import type { JournalView } from "../../journal/journal.ts";
import type { RecordPayloads } from "../../journal/records.ts";
import type { TaskRow } from "../../tasks/rows.ts";
import { ofCandidate } from "../generation-losses.ts";
import { excerptOf, type ShortNames } from "./short-text.ts";
import { thinOut } from "./thin-out.ts";

/** Rows of a task that are shown with their texts, of those that were won, and of those that were lost. */
const SHOWN_ROWS = 5;
/** Characters of a text. */
const CONTEXT = 1200;
const ANSWER = 300;
const MOST_GAINS = 400;
/** What is no more than this apart is a rounding away from equal. */
const EQUAL = 1e-6;

/** The guard rows of a verdict, by task in the order of its losses. */
export type GuardRows = Readonly<Record<string, readonly TaskRow[]>>;

/** A guard row, on which the winner has another loss than the model that it is compared with. */
export interface RowChange {
  /** Among the guard rows that were scored, in the order of their file, counted from 1. */
  readonly number: number;
  readonly winner: number;
  readonly other: number;
  /** Absent where the rows are not at hand. */
  readonly text?: RowExcerpt;
}

/** What a row says, or its beginning and end where that is long. */
export interface RowExcerpt {
  readonly context: string;
  readonly answer: string;
  /** The other answers of a choice. */
  readonly others: readonly string[];
}

/** Rows of one task that the winner has won and lost against another model. */
export interface TaskChanges {
  readonly task: string;
  readonly won: number;
  readonly lost: number;
  readonly same: number;
  /** What the winner gains on each row, the most first; some of them where they are many. */
  readonly gains: readonly { readonly rank: number; readonly gain: number }[];
  /** Those that changed most. */
  readonly mostWon: readonly RowChange[];
  readonly mostLost: readonly RowChange[];
}

/** How single guard rows change from the best other model of the verdict to the winner. */
export interface ChangesView {
  readonly other: string;
  readonly tasks: readonly TaskChanges[];
  /** Why there are no texts. */
  readonly withoutTexts?: string;
}

/** Undefined where the verdict has nobody beside the winner. */
export function rowChanges(
  view: JournalView,
  verdict: RecordPayloads["verdict"],
  rows: GuardRows | string,
  names: ShortNames,
): ChangesView | undefined {
  const { models, rows: counts } = verdict;
  const others = models.filter(({ kind, loss }) => kind !== "winner" && Number.isFinite(loss));
  const [other] = others.toSorted((a, b) => a.loss - b.loss);
  if (!other) return undefined;
  const all = view.readNumbers(verdict.rowLosses);
  const lossesOf = (model: (typeof models)[number]): Float64Array =>
    ofCandidate(all, models.indexOf(model), models.length);
  const winner = models.find(({ kind }) => kind === "winner");
  if (!winner || all.length !== models.length * sum(Object.values(counts))) return undefined;
  let next = 0;
  const tasks = Object.entries(counts).map(([task, count]) => {
    const [from, to] = [next, (next += count)];
    const own = typeof rows === "string" ? undefined : rows[task];
    const changes = Array.from(lossesOf(winner).subarray(from, to), (loss, i) => ({
      number: i + 1,
      winner: loss,
      other: lossesOf(other)[from + i] ?? Number.NaN,
      row: own?.[i],
    }));
    return { task: names.of(task), ...changesIn(changes) };
  });
  return { other: names.of(other.name), tasks, ...(typeof rows === "string" && { withoutTexts: rows }) };
}

interface Change extends Omit<RowChange, "text"> {
  readonly row: TaskRow | undefined;
}

function changesIn(changes: readonly Change[]): Omit<TaskChanges, "task"> {
  const finite = changes.filter((change) => Number.isFinite(gainOf(change)));
  const byGain = finite.toSorted((a, b) => gainOf(b) - gainOf(a) || a.number - b.number);
  const won = byGain.filter((change) => gainOf(change) > EQUAL);
  const lost = byGain.filter((change) => gainOf(change) < -EQUAL).toReversed();
  const gains = byGain.map((change, rank) => ({ rank: rank + 1, gain: gainOf(change) }));
  return {
    won: won.length,
    lost: lost.length,
    same: finite.length - won.length - lost.length,
    gains: thinOut(gains, MOST_GAINS),
    mostWon: won.slice(0, SHOWN_ROWS).map(withText),
    mostLost: lost.slice(0, SHOWN_ROWS).map(withText),
  };
}

function gainOf({ winner, other }: Pick<RowChange, "winner" | "other">): number {
  return other - winner;
}

function withText({ row, ...change }: Change): RowChange {
  if (!row) return change;
  const { context, continuations, label } = row;
  return {
    ...change,
    text: {
      context: excerptOf(context, CONTEXT),
      answer: excerptOf((continuations[label] ?? "").trim(), ANSWER),
      others: continuations.filter((_, i) => i !== label).map((answer) => excerptOf(answer.trim(), ANSWER)),
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
