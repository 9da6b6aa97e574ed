import type { Curve } from "../merge/recipe.ts";
import { allWeights } from "../model/architecture.ts";
import type { Coefficient, Parents } from "./coefficient.ts";
import { geneDerivatives } from "./coefficient-genes.ts";
import { keyOf } from "./curve-keys.ts";
import type { SearchSpace } from "./search-space.ts";

/** Derivatives of a loss by what curves say at each weight: by its name, then by parameter, in the order of the experts. */
export type LevelSlopes = Readonly<Record<string, Record<string, number[]>>>;

/** Sums over the weights that take a value of a coefficient. */
interface CurveSlopes extends Curve {
  readonly layers: number[];
  rest: number;
}

/** Derivatives by the genes of curves, each as a part of its range: the transpose of decoding a point. */
export function pulledBack(
  space: SearchSpace,
  coefficients: readonly Coefficient[],
  { experts, model }: Parents,
  point: Float64Array,
  slopes: LevelSlopes,
): Float64Array {
  const sums = coefficients.map((coefficient) => {
    const byValue: CurveSlopes = { layers: Array.from({ length: coefficient.layers }, () => 0), rest: 0 };
    return { coefficient, byValue };
  });
  const owners = ownersOf(coefficients);
  // What decides which elements take part has no derivatives.
  const constant = new Set(coefficients.flatMap(({ parameter }) => (parameter.isDeciding ? [parameter.name] : [])));
  for (const weight of allWeights(model)) {
    for (const [parameter, byExpert] of owners) {
      if (constant.has(parameter)) continue;
      const own = slopes[weight.name]?.[parameter];
      if (own?.length !== experts.length) {
        throw new Error(
          `genome: expected ${experts.length} derivatives by ${parameter} at ${weight.name}, found ${own?.length ?? 0}`,
        );
      }
      for (const [i, expert] of experts.entries()) {
        const sum = sums[byExpert.get(`${keyOf(space, weight)} ${expert}`) ?? -1];
        if (!sum) throw new Error(`genome: no coefficient is that of ${weight.name}`);
        add(sum.byValue, weight.layer, own[i] ?? Number.NaN);
      }
    }
  }
  return Float64Array.from(sums.flatMap(({ coefficient, byValue }) => geneDerivatives(coefficient, point, byValue)));
}

/** By parameter, then by key and expert: which coefficient decides there. */
function ownersOf(coefficients: readonly Coefficient[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const owners = new Map<string, Map<string, number>>();
  for (const [index, { parameter, keys, experts }] of coefficients.entries()) {
    const own = owners.get(parameter.name) ?? new Map<string, number>();
    owners.set(parameter.name, own);
    for (const { name } of keys) for (const expert of experts) own.set(`${name} ${expert}`, index);
  }
  return owners;
}

function add(sum: CurveSlopes, layer: number | undefined, slope: number): void {
  if (layer === undefined) sum.rest += slope;
  else sum.layers[layer] = (sum.layers[layer] ?? Number.NaN) + slope;
}
