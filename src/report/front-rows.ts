import {
  EVOLVED,
  type FrontMember,
  type JudgedPick,
  type RecordPayloads,
  type ScoredModel,
} from "../journal/records.ts";
import { isWinner, picksOf } from "../run/finish/front.ts";
import type { Table } from "./table.ts";
import { taskColumns } from "./task-columns.ts";

/** A member of a front, and what there is to say of it. */
export interface FrontRow extends FrontMember {
  /** On the front, counted from 1. */
  readonly place: number;
  /** What it is there: the knee, the best on a task, the winner. */
  readonly names: readonly string[];
  /** What it made of the guard rows, with 95 % intervals; absent where they never met. */
  readonly judged?: Pick<JudgedPick, "scores" | "loss" | "intervals">;
}

/** What of a run a front is told by. */
export interface FrontFacts {
  readonly front: readonly FrontMember[];
  readonly winner?: ScoredModel;
  readonly verdict?: Pick<RecordPayloads["verdict"], "models">;
  readonly picks?: readonly JudgedPick[] | undefined;
}

/** Every member of a front in its order. */
export function frontRows({ front, winner, verdict, picks }: FrontFacts): readonly FrontRow[] {
  const named = picksOf(front);
  const isBest = (member: FrontMember): boolean => winner !== undefined && isWinner(member, winner);
  return front.map((member, i) => {
    const place = i + 1;
    const names = named.flatMap(({ name, isKnee, ...own }) =>
      own.place === place ? [isKnee ? "the knee" : `best on ${name}`] : [],
    );
    const judged =
      picks?.find((pick) => pick.place === place) ??
      verdict?.models.find(({ kind, name }) => (kind === "winner" ? isBest(member) : name === member.of));
    return {
      ...member,
      place,
      names: [
        ...names,
        ...(isBest(member) ? [winner?.name === EVOLVED ? "the winner" : "the winner, a baseline"] : []),
      ],
      ...(judged && { judged }),
    };
  });
}

/** Losses on the search rows, and what those made of the guard rows that met them. */
function frontTable(rows: readonly FrontRow[]): Table {
  const tasks = Object.keys(rows[0]?.scores ?? {});
  const judgedRows = rows.flatMap(({ judged }) => judged ?? []);
  const guard = taskColumns(judgedRows, judgedRows.length > 0 ? tasks : []);
  const hasAlike = rows.some(({ alike }) => alike);
  return {
    header: [
      "front",
      ...tasks,
      "combined",
      "which is",
      "model",
      ...(hasAlike ? ["alike"] : []),
      ...guard.header.map((name) => `${name}, guard rows`),
    ],
    rows: rows.map(({ place, scores, loss, names, of, alike, judged }) => [
      String(place),
      ...tasks.map((task) => scores[task]?.loss.toFixed(3) ?? ""),
      loss.toFixed(3),
      names.join(", "),
      of,
      ...(hasAlike ? [alike ? `+${alike.length}` : ""] : []),
      ...guard.cellsOf(judged),
    ]),
  };
}

/** A front as a table, and what the table is of. */
export function tellFront(facts: FrontFacts): { readonly sentence: string; readonly table: Table } {
  const rows = frontRows(facts);
  const alike = rows.some((row) => row.alike)
    ? " A model also stands for others (alike: so many), whose losses are on every task within the 95 % interval of its own."
    : "";
  return {
    sentence: `The front: merges and baselines that no other is better than on every task, by their losses on the search rows; guard rows, with 95 % intervals, are met by the winner, the knee and the best on each task where there is time.${alike}`,
    table: frontTable(rows),
  };
}
