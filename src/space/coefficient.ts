import { UserError } from "../errors.ts";
import { declarations } from "../merge/declarations.ts";
import type { ParameterSpec } from "../merge/method.ts";
import type { Curve, MergeRecipe } from "../merge/recipe.ts";
import { type CurveTerm, curveTerms, type Depth, levelOf, termCount } from "./depth-curve.ts";
import { leastSquares } from "./least-squares.ts";
import { isLayered, type ParameterSpace, type SearchSpace } from "./search-space.ts";

/** What a genome is laid out for. */
export interface Parents {
  /** Names of the experts. */
  readonly experts: readonly string[];
  /** Layers of the model. */
  readonly layers: number;
}

/** One value of a merge that varies over the depth: a parameter, for an expert or all, in a set of tensor groups. */
export interface Coefficient {
  readonly parameter: ParameterSpec;
  readonly space: ParameterSpace;
  /** The expert that it is for, or all of them. */
  readonly experts: readonly string[];
  readonly groups: readonly string[];
  /** Such as `nature.attention.weight`. */
  readonly name: string;
  /** Where the search starts, before it is moved into the range. */
  readonly start: number;
  readonly terms: readonly CurveTerm[];
  /** Index of its first gene among all genes. */
  readonly firstGene: number;
}

/** One coordinate of the search. */
export interface Gene {
  /** Such as `nature.attention.weight.dct1`. */
  readonly name: string;
  /** Its values at the ends of the unit interval, in units of the parameter. */
  readonly range: readonly [number, number];
}

/** The covariance of so many is a matrix of 200 MB, of which the search holds a few. */
const MAX_GENES = 5000;

function tooManyGenes({ groups, depth }: SearchSpace): string {
  return `the search space has more than ${MAX_GENES} genes, with ${groups.length} sets of groups and the depth ${depth.curve}; take fewer sets, or a curve of fewer terms`;
}

/** All coefficients of a search space, in the order of their genes: by parameter, then by expert, then by group. */
export function layOutCoefficients(space: SearchSpace, { experts, layers }: Parents): Coefficient[] {
  const coefficients: Coefficient[] = [];
  let firstGene = 0;
  for (const parameter of declarations[space.method].parameters) {
    const ownSpace = space.parameters[parameter.name];
    if (ownSpace === undefined) throw new Error(`genome: the search space lacks the parameter ${parameter.name}`);
    const start = ownSpace.start === "uniform" ? 1 / experts.length : ownSpace.start;
    for (const sharing of parameter.per === "expert" ? experts.map((expert) => [expert]) : [experts]) {
      for (const groups of space.groups) {
        const depth: Depth = groups.some((group) => isLayered[group]) ? space.depth : { curve: "constant" };
        if (firstGene + termCount(depth, layers) > MAX_GENES) throw new UserError(tooManyGenes(space));
        const terms = curveTerms(depth, layers);
        const name = [...(parameter.per === "expert" ? sharing : []), nameOf(groups), parameter.name].join(".");
        coefficients.push({ parameter, space: ownSpace, experts: sharing, groups, name, start, terms, firstGene });
        firstGene += terms.length;
      }
    }
  }
  return coefficients;
}

/** The genes of a coefficient; those that are deviations range as far to either side of 0 as the range is from its middle. */
export function genesOf({ name, terms, space }: Coefficient): Gene[] {
  return terms.map((term) => ({
    name: term.name === "" ? name : `${name}.${term.name}`,
    range: geneRange(term, space.range),
  }));
}

/**
 * The coefficient in one of its groups at a point of the unit cube. Where a sum of terms leaves the parameter's range it
 * is reflected back in, which keeps the search free of the flat regions that clipping makes. Weights outside the layers
 * take the mean over the layers.
 */
export function curveAt({ terms, space, firstGene }: Coefficient, group: string, point: Float64Array): Curve {
  const genes = terms.map((term, i) => {
    const [low, high] = geneRange(term, space.range);
    return low + (point[firstGene + i] ?? Number.NaN) * (high - low);
  });
  const layers = (terms[0]?.values ?? []).map((_, layer) =>
    reflect(
      terms.reduce((sum, { values }, i) => sum + (genes[i] ?? 0) * (values[layer] ?? 0), 0),
      space.range,
    ),
  );
  return { layers: isLayered[group] ? layers : [], rest: reflect(levelOf(layers), space.range) };
}

/**
 * A recipe's values of the coefficient, one for each layer: the mean over its experts and those of its groups that have
 * tensors inside the layers, else over the values outside. Undefined where the recipe lacks the parameter.
 */
export function valuesIn({ parameters }: MergeRecipe, coefficient: Coefficient): readonly number[] | undefined {
  const { parameter, experts, groups, terms } = coefficient;
  const byGroup = parameters[parameter.name];
  if (byGroup === undefined) return undefined;
  const layered = groups.filter((group) => isLayered[group]);
  const sharing = layered.length > 0 ? layered : groups;
  const curves = sharing.flatMap((group) => experts.map((expert) => byGroup[group]?.[expert]));
  return (terms[0]?.values ?? []).map((_, layer) =>
    levelOf(curves.map((curve) => (layered.length > 0 ? curve?.layers[layer] : curve?.rest) ?? Number.NaN)),
  );
}

/**
 * The genes, as parts of their ranges, at which the coefficient is nearest to one value for each layer: by least squares
 * after values outside the range are moved to its ends, and exactly where all values are equal.
 */
export function genesAt({ name, terms, space: { range } }: Coefficient, values: readonly number[]): number[] {
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new Error(`genome: ${name} cannot be ${bad}`);
  const [level = Number.NaN, ...others] = values.map((value) => clip(value, range));
  const genes = others.every((value) => value === level)
    ? terms.map(({ isLevel }) => (isLevel ? level : 0))
    : leastSquares(
        terms.map((term) => term.values),
        [level, ...others],
      );
  return terms.map((term, i) => {
    const [low, high] = geneRange(term, range);
    return clip(((genes[i] ?? Number.NaN) - low) / (high - low), [0, 1]);
  });
}

/** `attention`, `norm+embedding`, or `all`. */
export function nameOf(groups: readonly string[]): string {
  return groups.length === Object.keys(isLayered).length ? "all" : groups.join("+");
}

function geneRange({ isLevel }: CurveTerm, [low, high]: readonly [number, number]): readonly [number, number] {
  return isLevel ? [low, high] : [(low - high) / 2, (high - low) / 2];
}

/** Folds the real line onto the range, as if its ends were mirrors. */
function reflect(value: number, [low, high]: readonly [number, number]): number {
  if (value >= low && value <= high) return value;
  const width = high - low;
  const phase = Math.abs(value - low) % (2 * width);
  return Math.min(high, low + Math.min(phase, 2 * width - phase));
}

function clip(value: number, [low, high]: readonly [number, number]): number {
  return Math.min(high, Math.max(low, value));
}
