import type { CurveView } from "../view/curves-view.ts";
import { maxOf, minOf } from "./loss-scale.ts";
import { type PlotSpec, WIDTH } from "./plot.ts";
import type { Theme } from "./theme.ts";

const REST = "rest";
const ROW_HEIGHT = 18;

/** Coefficients as colours, a row a group and a column a layer. The colours are those of all curves, so that several maps compare. */
export function heatMap(curves: readonly CurveView[], all: readonly CurveView[], { diverging, ink }: Theme): PlotSpec {
  const cells = curves.flatMap(({ group, layers, rest }) => [
    ...layers.map(({ layer, value }) => ({ group, layer: String(layer), value })),
    // A tensor that every layer has is outside of none.
    ...(layers.length === 0 ? [{ group, layer: REST, value: rest }] : []),
  ]);
  const layers = [...new Set(cells.map(({ layer }) => layer))].toSorted((a, b) => placeOf(a) - placeOf(b));
  const values = all.flatMap(({ layers: own, rest }) => [...own.map(({ value }) => value), rest]);
  const most = maxOf(values.map(Math.abs)) || 1;
  // Without negative ones, half of the colours are of what there is.
  const low = minOf(values) < 0 ? -most : 0;
  const groups = [...new Set(curves.map(({ group }) => group))];
  return {
    width: WIDTH,
    height: ROW_HEIGHT * groups.length,
    data: { values: cells },
    name: "cells",
    mark: { type: "rect", stroke: ink, strokeOpacity: 0.12, strokeWidth: 0.5 },
    encoding: {
      x: {
        field: "layer",
        type: "ordinal",
        title: "layer",
        sort: layers,
        axis: { labelAngle: 0, labelOverlap: "greedy" },
        scale: { paddingInner: 0 },
      },
      y: { field: "group", type: "nominal", title: null, sort: groups, scale: { paddingInner: 0 } },
      color: {
        field: "value",
        type: "quantitative",
        title: null,
        scale: {
          type: "quantize",
          domain: [low, most],
          range: diverging.slice(low === 0 ? (diverging.length - 1) / 2 : 0),
        },
        legend: { format: ".2f", gradientLength: WIDTH - 40 },
      },
    },
  };
}

function placeOf(layer: string): number {
  return layer === REST ? Infinity : Number(layer);
}
