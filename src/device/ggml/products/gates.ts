/**
 * Products that are multiplied by another, as in the gated MLPs of most models. Each of the two has some megabytes, which would go
 * to memory and come back; so both are computed for some columns at a time, and only what they make is written there.
 */
import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression } from "../../expression.ts";
import type { FinishedProduct } from "./epilogues.ts";
import type { GraphReaders } from "./graph-readers.ts";

/** Columns that are computed at a time: one or two megabytes, which stay in the cache. */
export const GATED_COLUMNS = 512;

/** Fewer stay there as they are. */
const LEAST_ELEMENTS = 2 ** 19;

/** Of the steps of both, for which the node has room: a bias of each, and the gate. */
const MOST_OPERANDS = 3;

/** Stands for the last node of `product`. */
export interface GatedProduct {
  /** An operand of a step of the product. */
  readonly gate: FinishedProduct;
  readonly product: FinishedProduct;
  readonly end: Expression;
  /** Nodes of the gate, which nobody else reads. */
  readonly inner: readonly Expression[];
}

/** Those whose results only products in bf16 read, by the last node of each. */
export function gatedProducts(
  finished: ReadonlyMap<Expression, FinishedProduct>,
  readers: GraphReaders,
): ReadonlyMap<Expression, GatedProduct> {
  const gated = [...finished.values()].flatMap((product): GatedProduct[] => {
    const { end, isRounded } = product;
    const [operand, ...others] = operandsOf(product).filter(isWhole);
    const gate = operand && others.length === 0 && readers.only(operand) ? finished.get(operand) : undefined;
    if (!gate || !isRounded || !isLarge(end)) return [];
    const hasRoom = operandsOf(product, gate).length <= MOST_OPERANDS;
    const fits = hasRoom && !operandsOf(gate).some(isWhole) && [product, gate].every(keepsBits);
    return fits ? [{ gate, product, end, inner: [...gate.inner, gate.end] }] : [];
  });
  return new Map(gated.map((each) => [each.end, each]));
}

function operandsOf(...products: readonly FinishedProduct[]): readonly Expression[] {
  return products.flatMap(({ steps }) => steps.flatMap(({ operand }) => operand ?? []));
}

function isLarge({ shape }: Expression): boolean {
  const [, columns = 0] = shape;
  return columns > GATED_COLUMNS && elementCount(shape) >= LEAST_ELEMENTS;
}

/** oneDNN 3.2 sums in another order for fewer columns of a right factor that lies as it is; models' weights lie transposed. */
function keepsBits({ product }: FinishedProduct): boolean {
  return product.transposeY;
}

/** Whether it is more than a row for all. */
function isWhole({ shape }: Expression): boolean {
  return shape[0] !== 1;
}
