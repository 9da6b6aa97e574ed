import type { Plot } from "../plots/plot.ts";
import { renderPlot } from "../plots/render-plot.ts";
import { pageTheme } from "../plots/theme.ts";
import { drawing, type Html, html, type HtmlValue } from "./html.ts";
import { tableOf } from "./parts.ts";

/** Plots beside each other where there is room, each with what is to be seen in it and its numbers. */
export async function figuresOf(plots: readonly Plot[]): Promise<HtmlValue> {
  if (plots.length === 0) return undefined;
  const figures: Html[] = [];
  for (const plot of plots) figures.push(await figureOf(plot));
  return html`<div class="plots">${figures}</div> `;
}

async function figureOf(plot: Plot): Promise<Html> {
  const { name, title, finding, table } = plot;
  const svg = await renderPlot(plot, { id: name, theme: pageTheme });
  return html`<figure id="plot-${name}">
    <h3>${title}</h3>
    ${drawing(svg)}
    <figcaption>${finding}</figcaption>
    <details>
      <summary>Numbers of “${title}”</summary>
      ${tableOf(title, table)}
    </details>
  </figure> `;
}
