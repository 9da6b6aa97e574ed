import { EVOLVED, type RecordPayloads, type RowCounts } from "../journal/records.ts";
import { isMissed } from "../journal/standing.ts";

/** What a search has come to. */
export interface SearchResult {
  readonly winner: string;
  /** Whether merges of the search met rows of the baselines when the winner was chosen. */
  readonly isCompared: boolean;
  readonly generations: number;
  /** Whether another one was begun and given up. */
  readonly gaveUp: boolean;
}

/** What was begun in vain, and whether the search found anything, found nothing, was not compared or not run at all, which is not the same. */
export function searchSentences(result: SearchResult): string[] {
  const { generations, gaveUp } = result;
  return [
    ...(gaveUp && generations > 0 && isMissed(generations)
      ? [`Generation ${generations} took longer than was expected and was given up, which left the finish its time.`]
      : []),
    ...foundSentences(result),
  ];
}

function foundSentences({ winner, isCompared, generations, gaveUp }: SearchResult): string[] {
  if (winner === EVOLVED) return [];
  if (generations === 0) {
    const why = gaveUp
      ? "the first generation took longer than was expected and was given up"
      : "the budget had no room for a generation";
    return [
      `Nothing was searched: ${why}. ${winner} is the best of the baselines, and whether another merge is better is not known.`,
    ];
  }
  const count = generations === 1 ? "one generation" : `${generations} generations`;
  if (!isCompared) {
    return [
      `The budget ended before what ${count} found was compared with ${winner}, the best of the baselines, which is the winner; whether another merge is better is not known.`,
    ];
  }
  return [`The search found nothing better than ${winner} in ${count}, which is the winner.`];
}

/** On how many of the guard rows a verdict is, where it is not on all. */
export function guardSentences({ rows, outOf }: Pick<RecordPayloads["verdict"], "rows" | "outOf">): string[] {
  const short = Object.entries(rows).filter(([task, count]) => count < (outOf[task] ?? 0));
  if (short.length === 0) return [];
  const counts = short.map(([task, count]) => `${count} of ${outOf[task] ?? 0} of ${task}`).join(", ");
  return [`The budget had time for a part of the guard rows only: ${counts}.`];
}

/** Rows of a task that a loss by which others are divided should be of. */
const UNIT_ROWS = 8;

/** That the unit of all losses is of few rows, where it is. */
export function unitSentences({ models }: Pick<RecordPayloads["baselines"], "models">): string[] {
  const tasks = Object.keys(models[0]?.rows ?? {});
  const counts = tasks.map((task) => [task, Math.max(...models.map(({ rows }) => rows[task] ?? 0))] as const);
  const few = counts.filter(([, count]) => count < UNIT_ROWS).map(([task, count]) => `${count} of ${task}`);
  if (few.length === 0) return [];
  return [
    `The unit of combined losses, the uniform average's mean loss, is of few search rows: ${few.join(", ")}; another few would make another unit.`,
  ];
}

/** Which baselines the budget had no room for, and which were left behind after a part of the rows. */
export function baselineSentences({
  models,
  skipped,
}: Pick<RecordPayloads["baselines"], "models" | "skipped">): string[] {
  const most = (task: string): number => Math.max(...models.map(({ rows }) => rows[task] ?? 0));
  const isShort = (rows: RowCounts): boolean => Object.entries(rows).some(([task, count]) => count < most(task));
  const short = models.filter(({ rows }) => isShort(rows));
  const [first] = short;
  return [
    ...unitSentences({ models }),
    ...(skipped.length === 0 ? [] : [`The budget had no room for the baselines ${skipped.join(", ")}.`]),
    ...(first
      ? [
          `Among the best on ${countsText(first.rows)} were not, and met no more search rows: ${short.map(({ name }) => name).join(", ")}.`,
        ]
      : []),
  ];
}

function countsText(rows: RowCounts): string {
  return Object.entries(rows)
    .map(([task, count]) => `${count} rows of ${task}`)
    .join(" and ");
}
