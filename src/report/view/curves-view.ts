import type { Standing } from "../../journal/standing.ts";
import { declarationOf } from "../../merge/declarations.ts";
import { type Curve, type Curves, isMerge, type Recipe } from "../../merge/recipe.ts";
import type { ShortNames } from "./short-text.ts";
import { thinOut } from "./thin-out.ts";

/** Of one plot: a page with more would be slow, and no screen shows them. */
const MOST_LAYERS = 200;
const MOST_GROUPS = 60;
const MOST_VALUES = 12_000;

/** A coefficient over the depth: by layer, and outside the layers. */
export interface CurveView {
  /** A group of tensors or a kind of them. */
  readonly group: string;
  /** Null where one value serves all of them. */
  readonly expert: string | null;
  readonly layers: readonly LayerValue[];
  readonly rest: number;
}

export interface LayerValue {
  readonly layer: number;
  readonly value: number;
}

/** All curves of one parameter of a merge, or as many as a plot has room for. */
export interface ParameterView {
  readonly parameter: string;
  readonly curves: readonly CurveView[];
  /** Curves that are left out. */
  readonly leftOut: number;
}

/** The coefficients of a merge; none of a model as it is, or of a stack. */
export function parameterViews(recipe: Recipe, names: ShortNames): readonly ParameterView[] {
  if (!isMerge(recipe)) return [];
  const specs = declarationOf(recipe.method).parameters;
  return Object.entries(recipe.parameters).map(([parameter, curves]) => {
    const isShared = specs.some(({ name, per }) => name === parameter && per === "model");
    const all = curvesIn(curves, isShared, names);
    const length = Math.max(1, ...all.map(({ layers }) => layers.length + 1));
    const shown = all.slice(0, Math.max(1, Math.floor(MOST_VALUES / length)));
    return { parameter: names.of(parameter), curves: shown, leftOut: curveCount(curves, isShared) - shown.length };
  });
}

/** Why there are no coefficients to see, of a winner or of what has none yet; null where there are some, or nothing to speak of. */
export function whyNoCoefficients(
  { winner, generations }: Pick<Standing, "winner" | "generations">,
  names: ShortNames,
): string | null {
  if (!winner)
    return generations === 0 ? null : "None yet: candidates have been scored, and no winner is chosen among them.";
  const { recipe } = winner;
  if (isMerge(recipe)) return null;
  return recipe.method === "stack"
    ? "The winner is a stack of its parents' layers; its recipe says which, and how they are scaled."
    : `The winner is ${names.of(winner.name)} as it is, and no coefficients make it.${generations === 0 ? "" : " What the search came to stands with the search."}`;
}

/** Expert by expert. */
function curvesIn(curves: Curves, isShared: boolean, names: ShortNames): CurveView[] {
  const groups = Object.entries(curves).slice(0, MOST_GROUPS);
  const experts = [...new Set(groups.flatMap(([, byExpert]) => Object.keys(byExpert)))].slice(
    0,
    isShared ? 1 : Infinity,
  );
  return experts.flatMap((expert) =>
    groups.flatMap(([group, byExpert]) => {
      const curve = byExpert[expert];
      return curve ? [{ group: names.of(group), expert: isShared ? null : names.of(expert), ...shown(curve) }] : [];
    }),
  );
}

function curveCount(curves: Curves, isShared: boolean): number {
  const counts = Object.values(curves).map((byExpert) => (isShared ? 1 : Object.keys(byExpert).length));
  return counts.reduce((sum, count) => sum + count, 0);
}

function shown({ layers, rest }: Curve): Pick<CurveView, "layers" | "rest"> {
  return {
    layers: thinOut(
      layers.map((value, layer) => ({ layer, value })),
      MOST_LAYERS,
    ),
    rest,
  };
}
