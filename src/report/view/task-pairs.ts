import type { Standing } from "../../journal/standing.ts";
import type { TaskScores } from "../../journal/records.ts";
import { notableBaselines } from "./notable-baselines.ts";
import type { TaskLosses } from "./course-view.ts";
import type { ShortNames } from "./short-text.ts";
import { recordsBy, thinOut } from "./thin-out.ts";

const MOST_POINTS = 1000;
/** Of many tasks the first ones are shown against each other. */
const MOST_PAIRS = 3;

/** Mean losses on two tasks. */
export interface PairPoint {
  readonly x: number;
  readonly y: number;
}

/** Two tasks against each other: mean losses of candidates on the rows of their generations, and of models on the search rows that they met. */
export interface TaskPair {
  readonly tasks: readonly [x: string, y: string];
  readonly candidates: readonly PairPoint[];
  /** Candidates that no other is as good as on both tasks, from the best on the first to the best on the second. */
  readonly front: readonly PairPoint[];
  readonly models: readonly (PairPoint & { readonly name: string })[];
}

export function taskPairs(
  candidates: readonly TaskLosses[],
  standing: Pick<Standing, "baselines" | "verdict" | "winner">,
  names: ShortNames,
): readonly TaskPair[] {
  const { baselines, winner } = standing;
  const tasks = Object.keys(baselines?.scales ?? {});
  const pairs = tasks.flatMap((x, i) => tasks.slice(i + 1).map((y) => [x, y] as const)).slice(0, MOST_PAIRS);
  const models = new Map<string, TaskScores>();
  for (const { name, scores } of [...notableBaselines(standing), ...(winner ? [winner] : [])]) models.set(name, scores);
  return pairs.map(([x, y]) => {
    const points = candidates.flatMap(({ losses }) => finitePoint(losses[x], losses[y]));
    return {
      tasks: [names.of(x), names.of(y)],
      candidates: thinOut(points, MOST_POINTS),
      front: thinOut(frontOf(points), MOST_POINTS),
      models: Array.from(models).flatMap(([name, scores]) =>
        finitePoint(scores[x]?.loss, scores[y]?.loss).map((point) => ({ name: names.of(name), ...point })),
      ),
    };
  });
}

/** The points that none of the others equals or beats in both coordinates, by the first one; of equal points one. */
export function frontOf(points: readonly PairPoint[]): PairPoint[] {
  const byX = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  return recordsBy(byX, ({ y }) => y);
}

function finitePoint(x = Number.NaN, y = Number.NaN): PairPoint[] {
  return Number.isFinite(x) && Number.isFinite(y) ? [{ x, y }] : [];
}
