import { declarations } from "../merge/declarations.ts";
import type { Curve, MergeRecipe } from "../merge/recipe.ts";
import {
  type Coefficient,
  curveAt,
  type Gene,
  genesOf,
  layOutCoefficients,
  nameOf,
  type Parents,
} from "./coefficient.ts";
import type { SearchSpace } from "./search-space.ts";

/** Initial standard deviation of a coefficient where a search space names none: scores move and no model collapses. */
const DEFAULT_SIGMA = 0.1;

/** Above this many genes the default shrinks so that the length of a step, sigma x sqrt(genes), stays what it is here. */
const GENES_AT_DEFAULT_SIGMA = 27;

/** The map between points of the unit cube, which an optimizer proposes, and merges of a search space. */
export interface Genome {
  readonly dimension: number;
  readonly genes: readonly Gene[];
  /** Where the search starts, a point in the unit cube. */
  readonly start: Float64Array;
  /** Initial standard deviation as a part of the genes' ranges; `scales` multiplies it for each gene. */
  readonly sigma: number;
  readonly scales: Float64Array;
  /** What the genes are, in one line for people. */
  readonly summary: string;
  /** The merge at a point of the unit cube; every coefficient lies in its parameter's range. */
  decode(point: Float64Array): MergeRecipe;
  /**
   * The point whose merge gives each expert one weight everywhere, or the nearest weight in range; parameters other than
   * "weight" take their start.
   */
  encode(weights: Readonly<Record<string, number>>): Float64Array;
}

/** Lays the genes of a search space out for the given parents. */
export function buildGenome(space: SearchSpace, parents: Parents): Genome {
  const coefficients = layOutCoefficients(space, parents);
  const genes = coefficients.flatMap(genesOf);
  const defaultSigma = DEFAULT_SIGMA * Math.min(1, Math.sqrt(GENES_AT_DEFAULT_SIGMA / genes.length));
  const sigmas = coefficients.flatMap(({ terms, space: { range, sigma = defaultSigma } }) =>
    terms.map(() => sigma / (range[1] - range[0])),
  );
  const sigma = Math.max(...sigmas);

  return {
    dimension: genes.length,
    genes,
    start: pointAt(coefficients, ({ start }) => start),
    sigma,
    scales: Float64Array.from(sigmas, (own) => own / sigma),
    summary: summarize(space, coefficients),
    decode(point) {
      checkPoint(point, genes.length);
      return recipeAt(space, coefficients, point);
    },
    encode(weights) {
      return pointAt(coefficients, ({ parameter, experts, start }) =>
        parameter.name === "weight" ? weightOf(experts, weights) : start,
      );
    },
  };
}

/** The point at which every coefficient is level over the depth, at the value in its range nearest to the given one. */
function pointAt(coefficients: readonly Coefficient[], level: (coefficient: Coefficient) => number): Float64Array {
  const point = coefficients.flatMap((coefficient) => {
    const value = level(coefficient);
    if (!Number.isFinite(value)) throw new Error(`genome: ${coefficient.name} cannot be ${value}`);
    return coefficient.terms.map(({ isLevel }) => (isLevel ? intoUnit(value, coefficient.space.range) : 0.5));
  });
  return Float64Array.from(point);
}

function intoUnit(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

function weightOf(experts: readonly string[], weights: Readonly<Record<string, number>>): number {
  const [expert = ""] = experts;
  return weights[expert] ?? Number.NaN;
}

function checkPoint(point: Float64Array, dimension: number): void {
  if (point.length !== dimension) throw new Error(`genome: got ${point.length} numbers for ${dimension} genes`);
  const outside = point.find((value) => !(value >= 0 && value <= 1));
  if (outside !== undefined) throw new Error(`genome: ${outside} is outside the unit interval`);
}

function recipeAt({ method }: SearchSpace, coefficients: readonly Coefficient[], point: Float64Array): MergeRecipe {
  const parameters: Record<string, Record<string, Record<string, Curve>>> = {};
  for (const coefficient of coefficients) {
    const byGroup = (parameters[coefficient.parameter.name] ??= {});
    for (const group of coefficient.groups) {
      const curve = curveAt(coefficient, group, point);
      for (const expert of coefficient.experts) (byGroup[group] ??= {})[expert] = curve;
    }
  }
  return { method, parameters };
}

/** Such as `27 genes: weight of 3 experts x (attention 3, mlp 3, norm+embedding 3)`. */
function summarize(space: SearchSpace, coefficients: readonly Coefficient[]): string {
  const parts = declarations[space.method].parameters.map(({ name, per }) => {
    const own = coefficients.filter(({ parameter }) => parameter.name === name);
    const sets = own.slice(0, space.groups.length).map(({ groups, terms }) => `${nameOf(groups)} ${terms.length}`);
    const experts = own.length / space.groups.length;
    const owners = per === "model" ? "" : ` of ${experts} expert${experts === 1 ? "" : "s"} x`;
    return `${name}${owners} (${sets.join(", ")})`;
  });
  const genes = coefficients.reduce((sum, { terms }) => sum + terms.length, 0);
  return `${genes} gene${genes === 1 ? "" : "s"}: ${parts.join("; ")}`;
}
