/** How much a run spends on what is not its search; less time is met with fewer models and fewer rows, in these steps. */
export interface Effort {
  /** Global weights among the baselines. */
  readonly sweep: number;
  /** Share of the search rows that baselines and finalists meet. */
  readonly rows: number;
  /** Means that compete for the winner. */
  readonly finalists: number;
  /** Share of the guard rows; none means no verdict. */
  readonly guard: number;
  /** Guard rows, of each task that wants texts, which winner and parents write some for. */
  readonly texts: number;
}

/** Of each task that wants texts, the most and fewer. */
export const TEXT_ROWS = [16, 8, 4] as const;

/** From the most to the least: texts go first, then weights of the sweep, then rows, then finalists, and the verdict last. */
export const EFFORTS: readonly Effort[] = [
  { sweep: 7, rows: 1, finalists: 3, guard: 1, texts: TEXT_ROWS[0] },
  { sweep: 7, rows: 1, finalists: 3, guard: 1, texts: 0 },
  { sweep: 3, rows: 1, finalists: 3, guard: 1, texts: 0 },
  { sweep: 3, rows: 1, finalists: 2, guard: 1, texts: 0 },
  { sweep: 3, rows: 1 / 2, finalists: 2, guard: 1, texts: 0 },
  { sweep: 3, rows: 1 / 2, finalists: 1, guard: 1 / 2, texts: 0 },
  { sweep: 1, rows: 1 / 4, finalists: 1, guard: 1 / 2, texts: 0 },
  { sweep: 1, rows: 1 / 8, finalists: 1, guard: 1 / 4, texts: 0 },
  { sweep: 1, rows: 1 / 16, finalists: 1, guard: 1 / 8, texts: 0 },
  { sweep: 1, rows: 1 / 32, finalists: 1, guard: 1 / 16, texts: 0 },
  { sweep: 1, rows: 1 / 32, finalists: 1, guard: 0, texts: 0 },
  { sweep: 0, rows: 0, finalists: 0, guard: 0, texts: 0 },
];

/** What a search under way leaves to the finish when a generation takes longer than was planned, or else what was planned. */
export const LEAST_FINISH: Effort = { sweep: 0, rows: 1 / 4, finalists: 1, guard: 1 / 2, texts: 0 };

/** The most that fits, or else the least that there is. */
export function mostThatFits<T>(options: readonly T[], fits: (option: T) => boolean): T {
  return options.find(fits) ?? options.at(-1) ?? none();
}

function none(): never {
  throw new Error("effort: nothing to choose from");
}
