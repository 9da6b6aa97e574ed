import type { Plot } from "./plot.ts";
import { renderPlot } from "./render-plot.ts";
import { paperTheme } from "./theme.ts";

/** With which the file of a plot begins, by which it is known for one that evomerge wrote. */
export const PLOT_MARK = "<!-- Generator: evomerge -->";

/** A plot as a file by itself, on white paper. */
export async function plotFile(plot: Plot): Promise<string> {
  return `${PLOT_MARK}\n${await renderPlot(plot, { id: plot.name, theme: paperTheme, isFile: true })}\n`;
}
