import type { RunView } from "../view/run-view.ts";
import { changePlots } from "./change-plots.ts";
import { curvePlots } from "./curve-plots.ts";
import { gainsPlot } from "./gains-plot.ts";
import { lossOverCost } from "./loss-over-cost.ts";
import { pairPlots } from "./pair-plots.ts";
import type { Plot } from "./plot.ts";
import { sidesPlot } from "./sides-plot.ts";
import { timePlot } from "./time-plot.ts";

/** The plots of a run, by the part of a page that they are for; a part without data has none. */
export interface RunPlots {
  readonly verdict: readonly Plot[];
  readonly search: readonly Plot[];
  readonly coefficients: readonly Plot[];
  readonly rows: readonly Plot[];
  readonly time: readonly Plot[];
}

export function plotsOf(view: RunView): RunPlots {
  return {
    verdict: [...(view.verdict ? gainsPlot(view.verdict) : []), ...sidesPlot(view)],
    search: [...lossOverCost(view), ...pairPlots(view)],
    coefficients: curvePlots(view),
    rows: changePlots(view),
    time: timePlot(view),
  };
}

/** All of them, in the order of the page. */
export function allPlots(view: RunView): readonly Plot[] {
  return Object.values(plotsOf(view)).flat();
}
