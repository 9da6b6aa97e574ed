import { combining } from "../combination.ts";
import { Dual } from "../dual.ts";
import type { MethodDeclaration } from "../method.ts";
import { ofDifferences, productsOfDifferences } from "./sphere.ts";

export const modelStock: Readonly<Record<"model_stock", MethodDeclaration>> = {
  model_stock: {
    name: "model_stock",
    source: "Jang et al. 2024, arXiv:2403.19522",
    ...combining(
      "base",
      "from the base towards the mean of the experts, as far as their differences agree",
      (gram, _, { extrapolate }) => {
        const ratio = ratioOf(productsOfDifferences(gram), extrapolate === true);
        const factor = new Dual(ratio / (gram.length - 1));
        return ofDifferences(gram.slice(1).map(() => factor));
      },
      ({ filter_wise: isByRow }) => (isByRow === true ? "rows" : "whole"),
    ),
    parameters: [],
    options: [
      {
        name: "filter_wise",
        default: false,
        summary: "whether each row of a tensor, the weights of one output, is a vector of its own",
      },
      {
        name: "extrapolate",
        default: false,
        isMergekits: true,
        summary:
          "whether experts that point apart lead away from their mean, as in mergekit, where very short differences count as unlike, too",
      },
    ],
    experts: { least: 2 },
    mergekit: { parameters: {} },
  },
};

/** A product of two lengths that mergekit divides by at least. */
const LEAST_LENGTHS = 1e-6;

/**
 * The paper's interpolation ratio, with the mean of the cosines between all pairs of differences. Differences that point apart
 * have nothing in common: there the formula, which is for angles below a right one, would lead away from them, without bound.
 */
function ratioOf(products: readonly (readonly number[])[], extrapolates: boolean): number {
  const cosines = products.flatMap((row, i) =>
    row.slice(0, i).map((product, j) => {
      const lengths = Math.sqrt(products[i]![i]!) * Math.sqrt(products[j]![j]!);
      if (extrapolates) return product / Math.max(lengths, LEAST_LENGTHS);
      return lengths > 0 ? product / lengths : 0;
    }),
  );
  const mean = cosines.reduce((sum, own) => sum + own, 0) / cosines.length;
  const cos = extrapolates ? mean : Math.max(0, mean);
  const divisor = 1 + (products.length - 1) * cos;
  return Math.abs(divisor) < 1e-6 ? 0 : (products.length * cos) / divisor;
}
