import { combining } from "../combination.ts";
import { Dual } from "../dual.ts";
import type { MethodDeclaration } from "../method.ts";
import { ofDifferences, productsOfDifferences } from "./sphere.ts";

export const modelStock: Readonly<Record<"model_stock", MethodDeclaration>> = {
  model_stock: {
    name: "model_stock",
    source: "Jang et al. 2024, arXiv:2403.19522",
    ...combining("base", "from the base towards the mean of the experts, as far as their differences agree", (gram) => {
      const factor = new Dual(stockRatio(productsOfDifferences(gram)) / (gram.length - 1));
      return ofDifferences(gram.slice(1).map(() => factor));
    }),
    parameters: [],
    experts: { least: 2 },
    mergekit: { parameters: {} },
  },
};

/**
 * The paper's interpolation ratio, with the mean of the cosines between all pairs of differences. Differences that point apart
 * have nothing in common: there the formula, which is for angles below a right one, would lead away from them, without bound.
 */
function stockRatio(products: readonly (readonly number[])[]): number {
  const cosines = products.flatMap((row, i) =>
    row.slice(0, i).map((product, j) => {
      const lengths = Math.sqrt(products[i]![i]!) * Math.sqrt(products[j]![j]!);
      return lengths > 0 ? product / lengths : 0;
    }),
  );
  const cos = Math.max(0, cosines.reduce((sum, own) => sum + own, 0) / cosines.length);
  return (products.length * cos) / (1 + (products.length - 1) * cos);
}
