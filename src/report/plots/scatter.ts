import type { PairPoint } from "../view/task-pairs.ts";
import { lossScale, sideLabels } from "./loss-scale.ts";
import { type PlotSpec, quantity, WIDTH } from "./plot.ts";
import type { Theme } from "./theme.ts";

const HEIGHT = 280;

/** Models by two losses, with their names at the side, before a cloud of points without names. */
export interface Scatter {
  readonly titles: readonly [x: string, y: string];
  readonly models: readonly (PairPoint & { readonly name: string; readonly isWinner: boolean })[];
  readonly cloud?: readonly PairPoint[];
  /** A line through some of the cloud, in their order. */
  readonly front?: readonly PairPoint[];
  /** Whether both axes are of the same loss, so that a line shows where the two are equal. */
  readonly isSameLoss?: boolean;
}

export function scatterSpec(
  { titles, models, cloud = [], front = [], isSameLoss = false }: Scatter,
  theme: Theme,
): PlotSpec {
  const { ink, muted, grid, categories } = theme;
  const all = [...models, ...cloud];
  const both = all.flatMap(({ x, y }) => [x, y]);
  const [xScale, yScale] = isSameLoss
    ? [lossScale(both), lossScale(both)]
    : [lossScale(all.map(({ x }) => x)), lossScale(all.map(({ y }) => y))];
  const byName = new Map(models.map((model) => [model.name, model]));
  const labels = sideLabels(
    models.map(({ name, y }) => ({ name, value: y })),
    yScale,
    HEIGHT,
  ).map((label) => ({ ...label, ...byName.get(label.name) }));
  const x = quantity("x", titles[0], xScale);
  const y = quantity("y", titles[1], yScale);
  const [low, high] = xScale.domain;
  return {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        name: "equal",
        data: {
          values: isSameLoss
            ? [
                { x: low, y: low },
                { x: high, y: high },
              ]
            : [],
        },
        mark: { type: "line", strokeDash: [4, 3], color: muted, strokeWidth: 1 },
        encoding: { x, y },
      },
      {
        name: "candidates",
        data: { values: [...cloud] },
        mark: { type: "point", filled: true, size: 9, opacity: 0.5, color: categories[0] ?? ink },
        encoding: { x, y },
      },
      {
        name: "front",
        data: { values: [...front] },
        mark: { type: "line", interpolate: "step-after", color: categories[1] ?? ink, strokeWidth: 1.5 },
        encoding: { x, y, order: { field: "x", type: "quantitative" } },
      },
      {
        name: "leaders",
        data: { values: labels },
        mark: { type: "rule", color: grid },
        encoding: { x, x2: { value: WIDTH + 10 }, y, y2: { field: "place" } },
      },
      {
        name: "models",
        data: { values: [...models] },
        mark: { type: "point", filled: true, size: 60, opacity: 1 },
        encoding: {
          x,
          y,
          color: { condition: { test: "datum.isWinner", value: theme.better }, value: ink },
          shape: { condition: { test: "datum.isWinner", value: "diamond" }, value: "circle" },
        },
      },
      {
        name: "names",
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", limit: 130 },
        encoding: { x: { value: WIDTH + 13 }, y: { ...y, field: "place" }, text: { field: "name" } },
      },
    ],
  };
}
