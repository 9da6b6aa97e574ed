import type { Config } from "vega-lite";
import { escaped } from "../page/html.ts";
import type { Plot } from "./plot.ts";
import type { Theme } from "./theme.ts";

export interface RenderOptions {
  /** Before the ids of title and description, where several drawings are in one page. */
  readonly id: string;
  readonly theme: Theme;
  /** Whether it stands alone, as a file, and so is to have a ground of its own. */
  readonly isFile?: boolean;
}

/** Draws a plot as SVG, with its title and what is to be seen in it for those who have it read to them. */
export async function renderPlot(plot: Plot, { id, theme, isFile = false }: RenderOptions): Promise<string> {
  // Half a megabyte of modules, for who draws.
  const [{ compile }, vega] = await Promise.all([import("vega-lite"), import("vega")]);
  useOwnWidths(vega);
  const config = { ...configFor(theme), background: isFile ? theme.paper : "transparent" };
  const view = new vega.View(vega.parse(compile(plot.specFor(theme), { config }).spec), { renderer: "none" });
  try {
    return withWords(await view.toSVG(), plot, id);
  } finally {
    view.finalize();
  }
}

/** Of a text, in parts of its size: that of the widest of the usual fonts, and of scripts whose characters are square. */
const CHARACTER = 0.6;
const SQUARE_CHARACTER = 1;
const FIRST_SQUARE = 0x1100;

interface TextItem {
  readonly text?: string | number;
  readonly fontSize?: number;
  readonly limit?: number;
}

/**
 * Without a canvas Vega takes texts to be a third wider than they are, and with one as wide as in the fonts of this machine. It
 * has a place for another function, which its types do not name.
 */
function useOwnWidths(vega: object): void {
  const { textMetrics } = vega as {
    readonly textMetrics: { width: (item: TextItem, text?: string | number) => number };
  };
  textMetrics.width = ({ text: own, fontSize = 11, limit = 0 }, text = own) => {
    const ems = Array.from(String(text ?? ""), (character) =>
      (character.codePointAt(0) ?? 0) < FIRST_SQUARE ? CHARACTER : SQUARE_CHARACTER,
    );
    const width = fontSize * ems.reduce((sum, em) => sum + em, 0);
    return limit > 0 ? Math.min(width, limit) : width;
  };
}

const ROOT = /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)" viewBox="([^"]*)">/;

/** As one image for screen readers, in place of the marks that it is made of. */
function withWords(svg: string, { title, finding }: Plot, id: string): string {
  const [opening, width = "", height = "", box = ""] = ROOT.exec(svg) ?? [];
  if (opening === undefined) throw new Error("plots: not the SVG that Vega is known to write");
  const root = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${box}" role="img" aria-labelledby="${escaped(id)}-title ${escaped(id)}-finding">`;
  const words = `<title id="${escaped(id)}-title">${escaped(title)}</title><desc id="${escaped(id)}-finding">${escaped(finding)}</desc>`;
  return `${root}${words}${svg.slice(opening.length)}`;
}

const FONT = "system-ui, 'Helvetica Neue', Helvetica, Arial, sans-serif";

function configFor({ ink, muted, grid, categories }: Theme): Config {
  const text = {
    labelColor: ink,
    titleColor: ink,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
  } as const;
  return {
    font: FONT,
    // The words of the whole say it.
    mark: { aria: false },
    padding: 4,
    view: { stroke: null },
    axis: {
      ...text,
      aria: false,
      gridColor: grid,
      domainColor: muted,
      tickColor: muted,
      labelLimit: 160,
      titlePadding: 8,
    },
    axisQuantitative: { tickCount: 6 },
    legend: { ...text, aria: false, orient: "top", title: null, symbolStrokeWidth: 2, labelLimit: 150 },
    header: { ...text, labelFontWeight: "bold", labelAnchor: "start", labelLimit: 300 },
    range: { category: [...categories] },
    text: { color: ink, fontSize: 12 },
    rule: { color: muted },
  };
}
