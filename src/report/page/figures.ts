import type { Plot } from "../plots/plot.ts";
import { renderPlot } from "../plots/render-plot.ts";
import { pageTheme } from "../plots/theme.ts";
import { drawing, type Html, html, type HtmlValue } from "./html.ts";
import { tableOf } from "./parts.ts";

/** Draws a plot as SVG, in the colours of the page. */
export type DrawPlot = (plot: Plot) => Promise<string>;

export const drawForPage: DrawPlot = async (plot) => renderPlot(plot, { id: plot.name, theme: pageTheme });

/** Plots beside each other where there is room, each with what is to be seen in it and its numbers. */
export async function figuresOf(plots: readonly Plot[], draw: DrawPlot): Promise<HtmlValue> {
  if (plots.length === 0) return undefined;
  const figures: Html[] = [];
  for (const plot of plots) figures.push(await figureOf(plot, draw));
  return html`<div class="plots">${figures}</div> `;
}

async function figureOf(plot: Plot, draw: DrawPlot): Promise<Html> {
  const { name, title, finding, table } = plot;
  return html`<figure id="plot-${name}">
    <h3>${title}</h3>
    ${drawing(await draw(plot))}
    <figcaption>${finding}</figcaption>
    <details>
      <summary>Numbers of “${title}”</summary>
      ${tableOf(title, table)}
    </details>
  </figure> `;
}
