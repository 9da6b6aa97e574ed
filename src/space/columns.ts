/**
 * Genes of single input columns, as in Differentiable Adaptive Merging (arXiv:2410.08371), yet beside those of curves: a column
 * of a weight has the weight's own coefficient and a deviation from it.
 * @module
 */
import { type Columns, type MergeRecipe, stepAt } from "../merge/recipe.ts";
import { pack, unpack } from "../tensor/packed.ts";
import type { Parents } from "./coefficient.ts";
import { layOutColumns, type WeightColumns } from "./column-layout.ts";
import { reflect, slope } from "./folds.ts";
import type { LevelSlopes } from "./pull-back.ts";
import type { SearchSpace } from "./search-space.ts";

/**
 * Derivatives of a loss by the coefficients at each weight: by its name, then by parameter, in the order of the experts one
 * number, or one for each input column where these have coefficients of their own.
 */
export type WeightSlopes = Readonly<Record<string, Readonly<Record<string, readonly ArrayLike<number>[]>>>>;

/** The genes of all input columns of a search space, which stand behind those of its curves; none unless it asks for them. */
export class ColumnGenes {
  readonly count: number;
  readonly #own: readonly WeightColumns[];
  readonly #experts: readonly string[];
  readonly #firstGene: number;

  constructor(space: SearchSpace, parents: Parents, firstGene: number) {
    this.#own = space.columns ? layOutColumns(space, parents, firstGene) : [];
    this.#experts = parents.experts;
    this.#firstGene = firstGene;
    this.count = this.#own.reduce((sum, { count }) => sum + count, 0);
  }

  /** A value for each gene, from the width of its range in units of the parameter: such a deviation reaches as far to either side of 0 as the range from its middle. */
  byWidth(valueOf: (width: number) => number): Float64Array {
    const values = new Float64Array(this.count);
    for (const own of this.#own) this.#genesOf(own, values).fill(valueOf(widthOf(own)));
    return values;
  }

  /** The recipe of the curves, with what the columns of every weight have at a point of the unit cube. */
  decode(curves: MergeRecipe, point: Float64Array): MergeRecipe {
    if (this.count === 0) return curves;
    const columns: Record<string, Record<string, Record<string, string>>> = {};
    for (const own of this.#own) {
      const values = pack(Float32Array.from(this.#sums(own, curves, point), (sum) => reflect(sum, own.range)));
      const byExpert = ((columns[own.parameter] ??= {})[own.weight.name] ??= {});
      for (const expert of own.experts) byExpert[expert] = values;
    }
    return { ...curves, columns };
  }

  /** The genes at which columns are nearest to those of a recipe, beside the curves as they are decoded; where it has none they do not deviate. */
  encode(curves: MergeRecipe, columns: Readonly<Record<string, Columns>> = {}): Float64Array {
    const genes = new Float64Array(this.count).fill(1 / 2);
    for (const own of this.#own) {
      const byExpert = columns[own.parameter]?.[own.weight.name];
      if (!byExpert) continue;
      const shared = own.experts.map((expert) => unpack(byExpert[expert] ?? "") ?? []);
      const level = this.#levelOf(own, curves);
      const genesOfOwn = this.#genesOf(own, genes);
      for (const column of genesOfOwn.keys()) {
        const mean = shared.reduce((sum, values) => sum + (values[column] ?? Number.NaN), 0) / shared.length;
        genesOfOwn[column] = Math.min(1, Math.max(0, 1 / 2 + (mean - level) / widthOf(own)));
      }
    }
    return genes;
  }

  /** The transpose of the derivative of `decode`: by the coefficients of the curves at every weight, and by the genes of columns. */
  pullBack(
    curves: MergeRecipe,
    point: Float64Array,
    slopes: WeightSlopes,
  ): { readonly levels: LevelSlopes; readonly genes: Float64Array } {
    const levels = levelSlopes(slopes);
    const genes = new Float64Array(this.count);
    for (const own of this.#own) {
      const signs = this.#sums(own, curves, point).map((sum) => slope(sum, own.range));
      const width = widthOf(own);
      const genesOfOwn = this.#genesOf(own, genes);
      for (const expert of own.experts.map((name) => this.#experts.indexOf(name))) {
        const given = slopes[own.weight.name]?.[own.parameter]?.[expert] ?? [];
        if (given.length !== own.count) throw missing(own, given.length);
        const bySum = signs.map((sign, column) => sign * (given[column] ?? Number.NaN));
        for (const [column, derivative] of bySum.entries()) {
          genesOfOwn[column] = (genesOfOwn[column] ?? Number.NaN) + width * derivative;
        }
        ((levels[own.weight.name] ??= {})[own.parameter] ??= [])[expert] = total(bySum);
      }
    }
    return { levels, genes };
  }

  /** Of a weight's coefficient and the deviation of each column, which may be outside the range. */
  #sums(own: WeightColumns, curves: MergeRecipe, point: Float64Array): Float64Array {
    const level = this.#levelOf(own, curves);
    const { firstGene, count } = own;
    const width = widthOf(own);
    return point.subarray(firstGene, firstGene + count).map((part) => level + (part - 1 / 2) * width);
  }

  #levelOf({ weight, parameter, experts: [expert = ""] }: WeightColumns, curves: MergeRecipe): number {
    const step = stepAt(curves, weight, [expert]);
    return "values" in step ? Number(step.values[parameter]?.[0]) : Number.NaN;
  }

  #genesOf({ firstGene, count }: WeightColumns, genes: Float64Array): Float64Array {
    return genes.subarray(firstGene - this.#firstGene, firstGene - this.#firstGene + count);
  }
}

/** One number for each coefficient of a weight, as all its columns together give it. */
function levelSlopes(slopes: WeightSlopes): Record<string, Record<string, number[]>> {
  return mapValues(slopes, (byParameter) => mapValues(byParameter, (byExpert) => Array.from(byExpert, total)));
}

function mapValues<T, U>(record: Readonly<Record<string, T>> | undefined, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([name, value]) => [name, to(value)]));
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i] ?? Number.NaN;
  return sum;
}

function widthOf({ range: [low, high] }: WeightColumns): number {
  return high - low;
}

function missing({ weight, count }: WeightColumns, found: number): Error {
  return new Error(`genome: expected derivatives by ${count} columns of ${weight.name}, found ${found}`);
}
