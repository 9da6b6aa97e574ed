import { UserError } from "../errors.ts";
import { declarationOf, isSameMethod } from "../merge/declarations.ts";
import { type Curve, isMerge, type MergeRecipe, type Recipe } from "../merge/recipe.ts";
import { joined } from "../tensor/float64.ts";
import { type Coefficient, type Gene, genesOf, layOutCoefficients, type Parents } from "./coefficient.ts";
import { curveAt, genesAt, valuesIn } from "./coefficient-genes.ts";
import { ColumnGenes, type WeightSlopes } from "./columns.ts";
import { pulledBack } from "./pull-back.ts";
import type { SearchSpace } from "./search-space.ts";

/** Initial standard deviation of a coefficient where a search space names none: scores move and no model collapses. */
const DEFAULT_SIGMA = 0.1;

/** Length of the first steps by gradient, in units of a parameter: measured on merges by task vectors, as is that of columns. */
const GRADIENT_RATE = 0.1;
const COLUMN_RATE = 0.03;

/** The longest first step as a part of a range, which is also what a search space may ask for at most. */
const LARGEST_STEP = 1 / 3;

/** Above this many genes the default shrinks so that the length of a step, sigma x sqrt(genes), stays what it is here. */
const GENES_AT_DEFAULT_SIGMA = 27;

/** The map between points of the unit cube, which an optimizer proposes, and models of a search space. */
export interface Genome {
  readonly dimension: number;
  /** Those of curves; behind them stand those of input columns, which have no names, where the search space asks for them. */
  readonly genes: readonly Gene[];
  /** How many choices each gene has, which are equal parts of its range, 0 where it may have any value; absent where all may. */
  readonly levels?: readonly number[];
  /** Where the search starts, a point in the unit cube. */
  readonly start: Float64Array;
  /** Initial standard deviation as a part of the genes' ranges; `scales` multiplies it for each gene. */
  readonly sigma: number;
  readonly scales: Float64Array;
  /** Length of the first steps by gradient as a part of each gene's range; of any number of genes, as each step changes all. */
  readonly rates: Float64Array;
  /** What the genes are, in one line for people. */
  readonly summary: string;
  /** What a point of the unit cube stands for. */
  decode(point: Float64Array): Recipe;
  /** The point that a search begins at which is to begin with a recipe; none for one of another kind. */
  startAt(recipe: Recipe): Float64Array | undefined;
  /** Derivatives by the coordinates of a point of the unit cube, from those by the coefficients of its merge at every weight. */
  pullBack(point: Float64Array, slopes: WeightSlopes): Float64Array;
}

/** That of the coefficients of a merge method. */
export interface MergeGenome extends Genome {
  /** The merge at a point of the unit cube; every coefficient lies in its parameter's range. */
  decode(point: Float64Array): MergeRecipe;
  /**
   * The point whose merge is nearest to a recipe of the same method: each coefficient by least squares over the layers,
   * in its range, where groups or experts share it their mean; kinds of tensors
   * that the recipe lacks take their group's; parameters that it lacks take their start.
   */
  encode(recipe: MergeRecipe): Float64Array;
}

/** A first step as a part of a range of that width. */
function partOf(step: number, width: number): number {
  return Math.min(step / width, LARGEST_STEP);
}

/** Lays the genes of a search space out for the given parents. */
export function buildGenome(space: SearchSpace, parents: Parents): MergeGenome {
  const coefficients = layOutCoefficients(space, parents);
  const genes = coefficients.flatMap(genesOf);
  const columns = new ColumnGenes(space, parents, genes.length);
  const dimension = genes.length + columns.count;
  const defaultSigma = DEFAULT_SIGMA * Math.min(1, Math.sqrt(GENES_AT_DEFAULT_SIGMA / dimension));
  const sigmas = coefficients.flatMap(({ terms, space: { range, sigma } }) => {
    const width = range[1] - range[0];
    return terms.map(() => (sigma === undefined ? partOf(defaultSigma, width) : sigma / width));
  });
  const columnSigma = (defaultSigma * COLUMN_RATE) / GRADIENT_RATE;
  const sigma = Math.max(...sigmas);
  const pointAt = (valuesOf: (coefficient: Coefficient) => readonly number[], like?: MergeRecipe): Float64Array => {
    const point = genesAtValues(coefficients, valuesOf);
    return joined([point, columns.encode(recipeAt(space, coefficients, point), like?.columns)]);
  };

  const encode = (recipe: MergeRecipe): Float64Array =>
    pointAt((coefficient) => valuesIn(recipe, coefficient) ?? startOf(coefficient), recipe);

  return {
    dimension,
    genes,
    start: pointAt(startOf),
    sigma,
    scales: joined([
      Float64Array.from(sigmas, (own) => own / sigma),
      columns.byWidth((width) => columnSigma / width / sigma),
    ]),
    rates: joined([
      Float64Array.from(genes, ({ range: [low, high] }) => partOf(GRADIENT_RATE, high - low)),
      columns.byWidth((width) => COLUMN_RATE / width),
    ]),
    summary: summarize(space, coefficients, columns.count),
    decode(point) {
      checkPoint(point, dimension);
      return columns.decode(recipeAt(space, coefficients, point), point);
    },
    encode,
    startAt: (recipe) => (isMerge(recipe) && isSameMethod(recipe.method, space.method) ? encode(recipe) : undefined),
    pullBack(point, slopes) {
      checkPoint(point, dimension);
      const own = columns.pullBack(recipeAt(space, coefficients, point), point, slopes);
      return joined([pulledBack(space, coefficients, parents, point, own.levels), own.genes]);
    },
  };
}

/** The genes at which every coefficient is nearest to the given values, one for each layer. */
function genesAtValues(
  coefficients: readonly Coefficient[],
  valuesOf: (coefficient: Coefficient) => readonly number[],
): Float64Array {
  return Float64Array.from(coefficients.flatMap((coefficient) => genesAt(coefficient, valuesOf(coefficient))));
}

function startOf({ start, terms }: Coefficient): readonly number[] {
  return (terms[0]?.values ?? []).map(() => start);
}

/** A UserError where a point that code gives is none of the unit cube. */
export function checkPoint(point: Float64Array, dimension: number): void {
  if (point.length !== dimension)
    throw new UserError(`point: expected ${dimension} numbers, one for each gene, found ${point.length}`);
  const outside = point.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside >= 0)
    throw new UserError(
      `point: expected numbers from 0 to 1, found ${point[outside]} at ${outside}; each is a part of its gene's range`,
    );
}

function recipeAt(
  { method, options, seed }: SearchSpace,
  coefficients: readonly Coefficient[],
  point: Float64Array,
): MergeRecipe {
  const parameters: Record<string, Record<string, Record<string, Curve>>> = {};
  for (const coefficient of coefficients) {
    const byName = (parameters[coefficient.parameter.name] ??= {});
    for (const key of coefficient.keys) {
      const curve = inUnits(curveAt(coefficient, key, point), coefficient.parameter.unit);
      for (const expert of coefficient.experts) (byName[key.name] ??= {})[expert] = curve;
    }
  }
  return { method, parameters, ...(options && { options }), ...(seed !== undefined && { seed }) };
}

/** With the nearest multiples of a unit, if there is one. */
function inUnits(curve: Curve, unit: number | undefined): Curve {
  if (unit === undefined) return curve;
  const nearest = (value: number): number => Math.round(value / unit) / Math.round(1 / unit);
  return { layers: curve.layers.map(nearest), rest: nearest(curve.rest) };
}

/** Such as `27 genes: weight of 3 experts x (attention 3, mlp 3, norm+embedding 3)`, and how many columns have. */
function summarize(space: SearchSpace, coefficients: readonly Coefficient[], columns: number): string {
  const parts = declarationOf(space.method).parameters.map(({ name, per }) => {
    const own = coefficients.filter(({ parameter }) => parameter.name === name);
    const [first] = own;
    const sets = own
      .filter(({ experts }) => experts[0] === first?.experts[0])
      .map(({ set, terms }) => `${set} ${terms.length}`);
    const experts = own.length / sets.length;
    const owners = per === "model" ? "" : ` of ${experts} expert${experts === 1 ? "" : "s"} x`;
    return `${name}${owners} (${sets.join(", ")})`;
  });
  const genes = columns + coefficients.reduce((sum, { terms }) => sum + terms.length, 0);
  const ofColumns = columns === 0 ? [] : [`${columns} of input columns`];
  return `${genes} gene${genes === 1 ? "" : "s"}: ${[...parts, ...ofColumns].join("; ")}`;
}
