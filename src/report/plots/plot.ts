import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../table.ts";
import type { LossScale } from "./loss-scale.ts";
import type { Theme } from "./theme.ts";

/** A plot of a run as data: what is drawn, and the same in words and numbers for whoever does not see it. */
export interface Plot {
  /** Of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  /** What is to be seen in it. */
  readonly finding: string;
  /** What is drawn, in the colours of a theme. */
  readonly specFor: (theme: Theme) => PlotSpec;
  readonly table: Table;
}

/** Vega-Lite's, whose data stand in it. Names of strangers are values there, never names of fields or expressions. */
export type PlotSpec = TopLevelSpec;

/** A part of a plot that is several beneath each other. Of two layers with one name Vega-Lite draws the data of one: they have the panel's number in it. */
export type PanelSpec = Extract<PlotSpec, { readonly vconcat: unknown }>["vconcat"][number];

/** Width of what is drawn, beside labels and names: that of a column of a page or a paper, so that texts are of about one size in all plots. */
export const WIDTH = 330;

/** Numbers of a field along an axis whose ends are given. */
export interface Quantity {
  field: string;
  type: "quantitative";
  title: string;
  scale: { type: LossScale["type"]; domain: number[]; nice: boolean };
}

export function quantity(field: string, title: string, { type, domain }: LossScale): Quantity {
  return { field, type: "quantitative", title, scale: { type, domain: [...domain], nice: false } };
}

/** A number as tables and findings of plots have it. */
export function inShort(value: number | null): string {
  if (value === null) return "∞";
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 10_000) ? value.toExponential(2) : value.toFixed(3);
}
