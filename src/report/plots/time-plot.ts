import { duration } from "../duration.ts";
import type { PhaseView } from "../view/time-view.ts";
import { type Plot, WIDTH } from "./plot.ts";

const ROW_HEIGHT = 26;
const KINDS = ["computing", "waiting for weights"] as const;

/** Where the time of a run went, a bar for each phase. */
export function timePlot({ time }: { readonly time: readonly PhaseView[] }): Plot[] {
  if (time.length === 0) return [];
  const wholeMs = time.reduce((sum, { ms }) => sum + ms, 0);
  const waitMs = time.reduce((sum, one) => sum + one.waitMs, 0);
  const longest = time.toSorted((a, b) => b.ms - a.ms)[0];
  const unit = wholeMs < 180_000 ? { name: "seconds", ms: 1000 } : { name: "minutes", ms: 60_000 };
  const values = time.flatMap(({ phase, ms, waitMs: waited }) => [
    { phase, kind: KINDS[0], time: (ms - waited) / unit.ms },
    { phase, kind: KINDS[1], time: waited / unit.ms },
  ]);
  return [
    {
      name: "time",
      title: "Where the time went",
      finding: `${duration(wholeMs)} up to the last step, most of it, ${duration(longest?.ms ?? 0)}, for ${longest?.phase ?? ""}; ${duration(waitMs)} passed waiting for the parents' weights.`,
      specFor: ({ categories: [first = "", second = ""] }) => ({
        width: WIDTH,
        height: ROW_HEIGHT * time.length,
        data: { values },
        name: "phases",
        mark: { type: "bar" },
        encoding: {
          x: { field: "time", type: "quantitative", title: unit.name, stack: "zero" },
          y: { field: "phase", type: "nominal", sort: time.map(({ phase }) => phase), title: null },
          color: {
            field: "kind",
            type: "nominal",
            title: null,
            scale: { domain: [...KINDS], range: [first, second] },
          },
        },
      }),
      table: {
        header: ["phase", "time", "of it waiting for weights"],
        rows: time.map((one) => [one.phase, duration(one.ms), duration(one.waitMs)]),
      },
    },
  ];
}
