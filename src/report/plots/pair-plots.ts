import type { TaskPair } from "../view/task-pairs.ts";
import { inShort, type Plot } from "./plot.ts";
import { scatterSpec } from "./scatter.ts";

const MOST_LINES = 40;

/** Tasks against each other, a plot for each pair of them. */
export function pairPlots({
  pairs,
  winner,
}: {
  readonly pairs: readonly TaskPair[];
  readonly winner: string | null;
}): Plot[] {
  return pairs
    .filter(({ models, candidates }) => models.length + candidates.length > 0)
    .map((pair, i) => {
      const [x, y] = pair.tasks;
      return {
        name: `tasks-${i + 1}`,
        title: `${x} against ${y}`,
        finding: findingOf(pair),
        specFor: (theme) =>
          scatterSpec(
            {
              titles: [`loss of ${x}`, `loss of ${y}`],
              models: pair.models.map((model) => ({ ...model, isWinner: model.name === winner })),
              cloud: pair.candidates,
              front: pair.front,
            },
            theme,
          ),
        table: {
          header: ["what", x, y],
          rows: [
            ...pair.models.map((model) => [model.name, inShort(model.x), inShort(model.y)]),
            ...pair.front
              .slice(0, MOST_LINES)
              .map((point) => ["candidate on the front", inShort(point.x), inShort(point.y)]),
          ],
        },
      };
    });
}

function findingOf({ tasks: [x, y], candidates, front, models }: TaskPair): string {
  const [best, last] = [front[0], front.at(-1)];
  return [
    `Mean losses on ${x} and ${y}: ${models.length} models on the search rows (large dots)${candidates.length > 0 ? `, and candidates on the rows of their generations, which differ` : ""}.`,
    ...(best && last
      ? [
          `No candidate is better on both tasks than the ${front.length} on the front (orange), from ${inShort(best.x)} and ${inShort(best.y)} to ${inShort(last.x)} and ${inShort(last.y)}.`,
        ]
      : []),
  ].join(" ");
}
