import type { ChangesView, TaskChanges } from "../view/row-changes.ts";
import { maxOf, minOf } from "./loss-scale.ts";
import { inShort, type PanelSpec, type Plot, quantity, WIDTH } from "./plot.ts";
import type { Theme } from "./theme.ts";

const HEIGHT = 120;

/** What the winner gains on each guard row over the best other model, the most first: a panel for each task. */
export function changePlots({ changes }: { readonly changes: ChangesView | null }): Plot[] {
  const tasks = changes?.tasks.filter(({ gains }) => gains.length > 0) ?? [];
  if (!changes || tasks.length === 0) return [];
  return [
    {
      name: "rows-won-and-lost",
      title: `Rows won and lost against ${changes.other}`,
      finding: [
        `The guard rows in the order of what the winner gains over ${changes.other} on each, in the loss of its task; above 0 it is better.`,
        ...tasks.map(({ task, won, lost, same }) => `${task}: ${won} won, ${lost} lost, ${same} the same.`),
      ].join(" "),
      specFor: (theme) => ({ vconcat: tasks.map((task, i) => panel(i, task, theme)) }),
      table: {
        header: ["task", "won", "lost", "the same", "most gained", "most lost"],
        rows: tasks.map(({ task, won, lost, same, gains }) => [
          task,
          String(won),
          String(lost),
          String(same),
          inShort(gains[0]?.gain ?? 0),
          inShort(gains.at(-1)?.gain ?? 0),
        ]),
      },
    },
  ];
}

function panel(number: number, { task, gains }: TaskChanges, { ink, better, worse }: Theme): PanelSpec {
  const values = gains.map(({ gain }) => gain);
  const [low, high] = [Math.min(0, minOf(values)), Math.max(0, maxOf(values))];
  const room = 0.05 * (high - low || 1);
  const y = quantity("gain", "gain", { type: "linear", domain: [low - room, high + room] });
  const last = gains.at(-1)?.rank ?? 1;
  const x = quantity("rank", "rows, the most gained first", { type: "linear", domain: [0, last + 1] });
  return {
    title: { text: task, anchor: "start", fontSize: 12, color: ink },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        name: `rows-${number}`,
        data: { values: [...gains] },
        mark: { type: "rule", strokeWidth: Math.max(1, (0.8 * WIDTH) / gains.length) },
        encoding: {
          x,
          y,
          y2: { datum: 0 },
          color: { condition: { test: "datum.gain < 0", value: worse }, value: better },
        },
      },
      { mark: { type: "rule", color: ink }, encoding: { y: { datum: 0, type: "quantitative" } } },
    ],
  };
}
