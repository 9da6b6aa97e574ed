import { lossScale, maxOf } from "../plots/loss-scale.ts";
import { inShort, type Plot, quantity, WIDTH } from "../plots/plot.ts";
import type { RunsComparison } from "./compare-runs.ts";

const HEIGHT = 260;
const MOST_RUNS = 8;

/** The best candidate of each run by what its search had cost, a line a run. */
export function costsPlot({ runs }: Pick<RunsComparison, "runs">): Plot[] {
  // Of more lines than there are colours none is told from another.
  const searched = runs.filter(({ best }) => best.length > 0).slice(0, MOST_RUNS);
  if (searched.length === 0) return [];
  const lastWork = maxOf(searched.flatMap(({ best }) => best.map(({ work }) => work)));
  const values = searched.flatMap(({ name, best }) => best.map(({ work, loss }) => ({ run: name, work, loss })));
  const names = searched.map(({ name }) => name);
  return [
    {
      name: "loss-over-cost",
      title: "Loss over cost of each run",
      finding: [
        ...(searched.length < runs.length ? [`${searched.length} of ${runs.length} runs.`] : []),
        "The best candidate so far, each on the fresh rows of its generation; 1 is the uniform average of its run, and a pass is one over the search rows of its run.",
        ...searched.map(({ name, best }) => `${name} came to ${inShort(best.at(-1)?.loss ?? null)}.`),
      ].join(" "),
      specFor: ({ categories }) => ({
        width: WIDTH,
        height: HEIGHT,
        name: "runs",
        data: { values },
        mark: { type: "line", interpolate: "step-after", strokeWidth: 2, point: { size: 20 } },
        encoding: {
          x: quantity("work", "cost, in passes of one merge over all search rows", {
            type: "linear",
            domain: [0, lastWork],
          }),
          y: quantity("loss", "combined loss", lossScale(values.map(({ loss }) => loss))),
          color: {
            field: "run",
            type: "nominal",
            title: null,
            scale: { domain: names, range: names.map((_, i) => categories[i % categories.length] ?? "") },
          },
          strokeDash: { field: "run", type: "nominal", title: null, sort: names },
        },
      }),
      table: {
        header: ["run", "cost", "combined loss"],
        rows: searched.map(({ name, best }) => [
          name,
          best.at(-1)?.work.toFixed(1) ?? "",
          inShort(best.at(-1)?.loss ?? null),
        ]),
      },
    },
  ];
}
