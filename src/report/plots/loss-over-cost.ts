import type { CourseView } from "../view/course-view.ts";
import { lossScale, maxOf, sideLabels } from "./loss-scale.ts";
import { inShort, type Plot, quantity, WIDTH } from "./plot.ts";

const HEIGHT = 260;
/** The lines of more baselines are not told apart; the best ones are those to beat. */
const MOST_BASELINES = 8;
/** Candidates beyond are left out of the picture, so that a few failures do not press all others together. */
const SHOWN_PART = 0.98;

/** What the search came to by what it cost, with the baselines as lines. */
export function lossOverCost({ course }: { readonly course: CourseView }): Plot[] {
  const { candidates, best, reference, baselines, winner } = course;
  if (candidates.length === 0) return [];
  const lines = [
    ...baselines.slice(0, MOST_BASELINES).map(({ name, loss }) => ({ name, value: loss })),
    ...(winner === null ? [] : [{ name: "the winner", value: winner }]),
  ];
  const top = quantile(
    candidates.map(({ loss }) => loss),
    SHOWN_PART,
  );
  const ends = [top, ...best.slice(-1).map(({ loss }) => loss), ...lines.map(({ value }) => value)];
  const scale = lossScale([...ends, ...candidates.map(({ loss }) => Math.min(loss, top))]);
  const lastWork = maxOf(candidates.map(({ work }) => work));
  const labels = sideLabels(lines, scale, HEIGHT);
  const y = quantity("loss", "combined loss", scale);
  const x = quantity("work", "cost, in passes of one merge over all search rows", {
    type: "linear",
    domain: [0, lastWork],
  });
  return [
    {
      name: "loss-over-cost",
      title: "Loss over cost",
      finding: findingOf(course),
      specFor: ({ ink, muted, categories: [blue, orange] }) => ({
        width: WIDTH,
        height: HEIGHT,
        layer: [
          {
            name: "baselines",
            data: { values: [...labels] },
            mark: { type: "rule", strokeDash: [4, 3], color: muted },
            encoding: { y: { ...y, field: "value" }, x: { value: 0 }, x2: { value: WIDTH } },
          },
          {
            name: "leaders",
            data: { values: [...labels] },
            mark: { type: "rule", color: muted },
            encoding: {
              y: { ...y, field: "value" },
              y2: { field: "place" },
              x: { value: WIDTH },
              x2: { value: WIDTH + 10 },
            },
          },
          {
            name: "names",
            data: { values: [...labels] },
            mark: { type: "text", align: "left", baseline: "middle", limit: 130 },
            encoding: { y: { ...y, field: "place" }, x: { value: WIDTH + 13 }, text: { field: "name" } },
          },
          {
            name: "candidates",
            data: { values: [...candidates] },
            mark: { type: "point", filled: true, size: 9, opacity: 0.55, color: blue ?? ink, clip: true },
            encoding: { x, y },
          },
          {
            name: "reference",
            data: { values: [...reference] },
            mark: { type: "line", strokeWidth: 1.5, color: orange ?? ink, clip: true },
            encoding: { x, y },
          },
          {
            name: "best",
            data: { values: [...best, { work: lastWork, loss: best.at(-1)?.loss ?? Number.NaN }] },
            mark: { type: "line", interpolate: "step-after", strokeWidth: 2, color: ink, clip: true },
            encoding: { x, y },
          },
        ],
      }),
      table: tableOf(course),
    },
  ];
}

function findingOf({
  scored,
  failed,
  candidates,
  generations,
  best,
  baselines,
  winner,
  reference,
}: CourseView): string {
  const [first] = baselines;
  const found = best.at(-1)?.loss ?? null;
  const shown = candidates.length + reference.length < scored - failed ? ` (${candidates.length} of them shown)` : "";
  return [
    `${scored.toLocaleString("en-US")} candidates${shown} in ${generations} generation${generations === 1 ? "" : "s"}, each on the fresh rows of its generation; 1 is the uniform average.`,
    `The least loss of a candidate (line of steps) was ${inShort(found)}.`,
    ...(reference.length > 0 ? ["The orange line is of the model that shows where the search was."] : []),
    ...(first ? [`The best baseline, ${first.name}, has ${inShort(first.loss)} on the search rows.`] : []),
    ...(winner === null ? [] : [`The winner has ${inShort(winner)} there.`]),
    ...(failed > 0 ? [`${failed} without a finite loss are left out.`] : []),
  ].join(" ");
}

const MOST_LINES = 40;

function tableOf({ best, baselines, winner }: CourseView): Plot["table"] {
  const improved = best.slice(-MOST_LINES);
  return {
    header: ["what", "cost", "combined loss"],
    rows: [
      ...baselines.map(({ name, loss }) => [`baseline ${name}`, "", inShort(loss)]),
      ...improved.map(({ work, loss }) => ["best candidate so far", work.toFixed(1), inShort(loss)]),
      ...(winner === null ? [] : [["the winner", "", inShort(winner)]]),
    ],
  };
}

/** The value that such a part of the others is not above. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
}
