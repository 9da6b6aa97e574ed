import type { GainView } from "../view/gains-view.ts";
import type { VerdictView } from "../view/run-view.ts";
import { inShort, type PanelSpec, type Plot, quantity, WIDTH } from "./plot.ts";
import { maxOf, minOf } from "./loss-scale.ts";
import type { Theme } from "./theme.ts";

const ROW_HEIGHT = 24;
const COMBINED = "all tasks combined";

/** The winner's gain over each model as a point with its interval, a panel for the tasks combined and one for each task. */
export function gainsPlot({ gains }: VerdictView): Plot[] {
  const combined = gains.filter(({ task }) => task === null);
  if (combined.length === 0) return [];
  const tasks = [...new Set(gains.map(({ task }) => task))];
  return [
    {
      name: "gains",
      title: "What the winner gains over each model",
      finding: findingOf(combined),
      specFor: (theme) => ({
        vconcat: tasks.map((task, i) =>
          panel(
            i,
            task ?? COMBINED,
            gains.filter((gain) => gain.task === task),
            theme,
          ),
        ),
      }),
      table: {
        header: ["rows", "model", "gain", "95 % interval", "winner is"],
        rows: gains.map(({ task, model, gain, lower, upper, judgement, amount }) => [
          task ?? COMBINED,
          model,
          inShort(gain),
          `${lower === null ? "-" : ""}${inShort(lower)} to ${inShort(upper)}`,
          amount === "" ? judgement : `${judgement} ${amount}`,
        ]),
      },
    },
  ];
}

function findingOf(gains: readonly GainView[]): string {
  const named = (wanted: GainView["judgement"]): string =>
    gains.flatMap(({ judgement, model }) => (judgement === wanted ? [model] : [])).join(", ");
  const [better, neither, worse] = [named("better"), named("neither"), named("worse")];
  return [
    "Gain in combined loss on guard rows, with 95 % interval: right of 0 the winner is better.",
    ...(better ? [`Significantly better than ${better}.`] : []),
    ...(neither ? [`No significant difference from ${neither}.`] : []),
    ...(worse ? [`Significantly worse than ${worse}.`] : []),
  ].join(" ");
}

function panel(
  number: number,
  title: string,
  gains: readonly GainView[],
  { ink, muted, better, worse }: Theme,
): PanelSpec {
  const ends = gains.flatMap(({ gain, lower, upper }) => [gain, lower ?? gain, upper ?? gain]);
  const [low, high] = [Math.min(0, minOf(ends)), Math.max(0, maxOf(ends))];
  const room = 0.06 * (high - low || 1);
  const domain = [low - room, high + room] as const;
  const x = quantity("gain", "gain", { type: "linear", domain });
  const y = { field: "model", type: "nominal", sort: null, title: null } as const;
  const values = gains.map(({ model, gain, lower, upper, judgement }) => ({
    model,
    gain,
    // An open interval goes to the end of the panel.
    lower: lower ?? domain[0],
    upper: upper ?? domain[1],
    judgement,
  }));
  const judged = { domain: ["better", "neither", "worse"], range: [better, muted, worse] };
  return {
    title: { text: title, anchor: "start", fontSize: 12, color: ink },
    width: WIDTH,
    height: ROW_HEIGHT * gains.length,
    data: { values },
    layer: [
      { mark: { type: "rule", color: ink, strokeDash: [3, 3] }, encoding: { x: { datum: 0, type: "quantitative" } } },
      {
        name: `interval-${number}`,
        mark: { type: "rule", strokeWidth: 2 },
        encoding: {
          y,
          x: { ...x, field: "lower" },
          x2: { field: "upper" },
          color: { field: "judgement", type: "nominal", scale: judged },
        },
      },
      {
        name: `gain-${number}`,
        mark: { type: "point", filled: true, size: 70, opacity: 1 },
        encoding: {
          y,
          x,
          color: { field: "judgement", type: "nominal", scale: judged },
          shape: {
            field: "judgement",
            type: "nominal",
            scale: { domain: judged.domain, range: ["circle", "diamond", "square"] },
          },
        },
      },
    ],
  };
}
