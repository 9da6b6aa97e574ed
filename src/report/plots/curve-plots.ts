import type { CurveView, ParameterView } from "../view/curves-view.ts";
import { heatMap } from "./heat-map.ts";
import { maxOf, minOf } from "./loss-scale.ts";
import { inShort, type PanelSpec, type Plot, type PlotSpec, quantity, WIDTH } from "./plot.ts";
import type { Theme } from "./theme.ts";

/** More panels, or more lines in one of them, are a heat map. */
const MOST_PANELS = 6;
const MOST_LINES = 8;
const MOST_ROWS = 60;
const HEIGHT = 110;
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];

/** The coefficients of a merge over its depth: lines in a panel for each group, or a heat map for each expert where there are many groups. */
export function curvePlots({ parameters }: { readonly parameters: readonly ParameterView[] }): Plot[] {
  return parameters.flatMap((own, place): Plot[] => {
    const name = `coefficients-${/^[\w-]+$/.test(own.parameter) ? own.parameter : place + 1}`;
    if (own.curves.length === 0) return [];
    const groups = [...new Set(own.curves.map(({ group }) => group))];
    const experts = [...new Set(own.curves.map(({ expert }) => expert))];
    if (groups.length > MOST_PANELS || experts.length > MOST_LINES) {
      return experts.map((expert, i) => {
        const curves = own.curves.filter((curve) => curve.expert === expert);
        return {
          ...wordsFor(own, curves, expert),
          name: `${name}-${i + 1}`,
          specFor: (theme) => heatMap(curves, own.curves, theme),
        };
      });
    }
    return [
      {
        ...wordsFor(own, own.curves, null),
        name,
        specFor: (theme) => linesFor(own.curves, groups, theme),
      },
    ];
  });
}

function wordsFor(
  { parameter, leftOut }: ParameterView,
  curves: readonly CurveView[],
  expert: string | null,
): Pick<Plot, "title" | "finding" | "table"> {
  const values = curves.flatMap(valuesOf);
  return {
    title: expert === null ? `${parameter} over the depth` : `${parameter} of ${expert} over the depth`,
    finding: [
      `Coefficients of the winner from ${inShort(minOf(values))} to ${inShort(maxOf(values))}, by layer, and "rest": outside the layers.`,
      ...(leftOut > 0 ? [`${leftOut} more curves are not drawn.`] : []),
    ].join(" "),
    table: {
      header: ["expert", "group", "least", "mean", "most", "rest"],
      rows: curves.slice(0, MOST_ROWS).map((curve) => {
        const own = curve.layers.map(({ value }) => value);
        const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
        const ofLayers = own.length === 0 ? ["", "", ""] : [minOf(own), mean, maxOf(own)].map(inShort);
        return [curve.expert ?? "all", curve.group, ...ofLayers, inShort(curve.rest)];
      }),
    },
  };
}

function valuesOf({ layers, rest }: CurveView): number[] {
  return [...layers.map(({ value }) => value), rest];
}

function linesFor(curves: readonly CurveView[], groups: readonly string[], theme: Theme): PlotSpec {
  const values = curves.flatMap(valuesOf);
  const [low, high] = [Math.min(0, minOf(values)), Math.max(0, maxOf(values))];
  const room = 0.05 * (high - low || 1);
  const last = maxOf(curves.flatMap(({ layers }) => layers.map(({ layer }) => layer)));
  const layers = Number.isFinite(last) ? last + 1 : 0;
  return {
    spacing: 8,
    vconcat: groups.map((group, i) => {
      const own = curves.filter((curve) => curve.group === group);
      return panel({ number: i, title: group }, own, { domain: [low - room, high + room], layers }, theme);
    }),
  };
}

function panel(
  { number, title }: { readonly number: number; readonly title: string },
  curves: readonly CurveView[],
  { domain, layers }: { readonly domain: readonly [number, number]; readonly layers: number },
  { ink, muted, categories }: Theme,
): PanelSpec {
  const experts = curves.map(({ expert }) => expert ?? "all experts");
  const y = quantity("value", "coefficient", { type: "linear", domain });
  // What is outside the layers stands behind the last.
  const x = {
    ...quantity("layer", "layer", { type: "linear", domain: [-0.5, layers + 1.5] }),
    axis: { values: ticksOf(layers) },
  };
  const named = { field: "expert", type: "nominal", title: null } as const;
  const color = { ...named, scale: { domain: experts, range: [...categories] } };
  const strokeDash = { ...named, scale: { domain: experts, range: DASHES } };
  const points = curves.flatMap(({ layers: own, expert }) =>
    own.map((point) => ({ ...point, expert: expert ?? "all experts" })),
  );
  const rest = curves.map((curve) => ({ layer: layers + 1, value: curve.rest, expert: curve.expert ?? "all experts" }));
  return {
    title: { text: title, anchor: "start", fontSize: 12, color: ink },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      { mark: { type: "rule", color: muted }, encoding: { y: { datum: 0, type: "quantitative" } } },
      {
        name: `curves-${number}`,
        data: { values: points },
        mark: { type: "line", strokeWidth: 2, point: { size: 14 } },
        encoding: { x, y, color, strokeDash },
      },
      {
        name: `rest-${number}`,
        data: { values: rest },
        mark: { type: "point", filled: true, size: 45, shape: "diamond", opacity: 1 },
        encoding: { x, y, color },
      },
      {
        name: `rest-name-${number}`,
        data: { values: [{ layer: layers + 1 }] },
        mark: { type: "text", baseline: "top", dy: 7 },
        encoding: { x, y: { value: HEIGHT }, text: { value: "rest" } },
      },
    ],
  };
}

/** Some of the layers, evenly. */
function ticksOf(layers: number): number[] {
  const step = Math.max(1, Math.ceil(layers / 8));
  return Array.from({ length: Math.ceil(layers / step) }, (_, i) => i * step);
}
