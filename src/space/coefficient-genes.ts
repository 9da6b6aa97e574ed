/** Between genes and values of one coefficient: decoding, its inverse, and the transpose of its derivative. */
import { type Curve, curvesOf, type MergeRecipe } from "../merge/recipe.ts";
import type { Coefficient } from "./coefficient.ts";
import type { CurveKey } from "./curve-keys.ts";
import { type CurveTerm, levelOf } from "./depth-curve.ts";
import { type Range, reflect, slope } from "./folds.ts";
import { leastSquares } from "./least-squares.ts";

/** Values of a term's gene at the ends of the unit interval; a deviation ranges as far to either side of 0 as the range is from its middle. */
export function geneRange({ isLevel }: CurveTerm, [low, high]: Range): Range {
  return isLevel ? [low, high] : [(low - high) / 2, (high - low) / 2];
}

/**
 * The coefficient under one of its keys at a point of the unit cube. Where a sum of terms leaves the parameter's range it
 * is reflected back in, which keeps the search free of the flat regions that clipping makes. Weights outside the layers
 * take the mean over the layers. What several stacks share is the same in all layers.
 */
export function curveAt(coefficient: Coefficient, key: CurveKey, point: Float64Array): Curve {
  const { range } = coefficient.space;
  const layers = sumsAt(coefficient, point).map((sum) => reflect(sum, range));
  return { layers: key.isLayered ? layers.slice(0, key.layers) : [], rest: reflect(levelOf(layers), range) };
}

/**
 * Derivatives by the coefficient's genes, as parts of their ranges, from those by its values: the transpose of the derivative of
 * `curveAt`. At a fold itself it is that of the side inside the range.
 */
export function geneDerivatives(coefficient: Coefficient, point: Float64Array, byValue: Curve): number[] {
  const { terms, space } = coefficient;
  const sums = sumsAt(coefficient, point);
  // What is outside the layers takes their mean, so that each layer has its share in it.
  const bySum = sums.map(
    (sum, layer) => slope(sum, space.range) * ((byValue.layers[layer] ?? Number.NaN) + byValue.rest / sums.length),
  );
  return terms.map((term) => {
    const [low, high] = geneRange(term, space.range);
    return (high - low) * bySum.reduce((sum, derivative, layer) => sum + derivative * (term.values[layer] ?? 0), 0);
  });
}

/** The sum of terms in each layer, which may be outside the range. */
function sumsAt({ terms, space, firstGene }: Coefficient, point: Float64Array): number[] {
  const genes = terms.map((term, i) => {
    const [low, high] = geneRange(term, space.range);
    return low + (point[firstGene + i] ?? Number.NaN) * (high - low);
  });
  return (terms[0]?.values ?? []).map((_, layer) =>
    terms.reduce((sum, { values }, i) => sum + (genes[i] ?? 0) * (values[layer] ?? 0), 0),
  );
}

/**
 * A recipe's values of the coefficient, one for each layer: the mean over its experts and those of its keys that have
 * tensors inside the layers, else over the values outside. Undefined where the recipe lacks the parameter.
 */
export function valuesIn({ parameters }: MergeRecipe, coefficient: Coefficient): readonly number[] | undefined {
  const { parameter, experts, keys, terms } = coefficient;
  const byName = parameters[parameter.name];
  if (byName === undefined) return undefined;
  const layered = keys.filter((key) => key.isLayered);
  const sharing = layered.length > 0 ? layered : keys;
  const curves = sharing.flatMap(({ name, group, layers }) => {
    const byExpert = curvesOf(byName, { tensor: name, group });
    return experts.map((expert) => ({ curve: byExpert?.[expert], layers }));
  });
  return (terms[0]?.values ?? []).map((_, layer) => {
    const reaching = curves.filter(({ layers }) => layer < layers);
    return levelOf(
      reaching.map(({ curve }) => (layered.length > 0 ? curve?.layers[layer] : curve?.rest) ?? Number.NaN),
    );
  });
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

function clip(value: number, [low, high]: Range): number {
  return Math.min(high, Math.max(low, value));
}
