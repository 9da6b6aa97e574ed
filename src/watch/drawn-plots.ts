import { type DrawPlot, drawForPage } from "../report/page/figures.ts";
import { pageTheme } from "../report/plots/theme.ts";

/** Drawings of a page that grows, by the name of their plot: one whose plot is as it was is not drawn again, which is most of the work. */
export class DrawnPlots {
  readonly #drawn = new Map<string, { readonly of: string; readonly svg: string }>();

  readonly draw: DrawPlot = async (plot) => {
    const { name, title, finding } = plot;
    const of = JSON.stringify([title, finding, plot.specFor(pageTheme)]);
    const known = this.#drawn.get(name);
    if (known?.of === of) return known.svg;
    const svg = await drawForPage(plot);
    this.#drawn.set(name, { of, svg });
    return svg;
  };
}
