/** Finished products as a library computes them, all columns or some. */
import type { Expression } from "../../expression.ts";
import type { FinishedProduct } from "./epilogues.ts";
import type { ResultStep, SpreadProducts } from "./product-library.ts";

const [F32_BYTES, BF16_BYTES] = [4, 2];

export interface ColumnBlock {
  readonly from: number;
  readonly count: number;
}

/** Where lies what a product reads. */
export interface FactorPlaces {
  readonly left: bigint;
  readonly right: bigint;
  /** Of an operand of a step; of one that is more than a row only the columns that are asked for. */
  readonly addressOf: (operand: Expression) => bigint;
}

/** The product in bf16 of the left factor and some columns of the right one, all of them unless given. */
export function productOfColumns(
  { product, steps }: Pick<FinishedProduct, "product" | "steps">,
  { left, right, addressOf }: FactorPlaces,
  { from, count }: ColumnBlock = { from: 0, count: product.shape[1] ?? 0 },
): Omit<SpreadProducts, "result"> {
  const { x, transposeX, transposeY, shape } = product;
  const [rows = 0, all = 0] = shape;
  const inner = x.shape[transposeX ? 0 : 1] ?? 0;
  const stepOf = ({ op, operand }: (typeof steps)[number]): ResultStep => {
    if (!operand) return { op } as ResultStep;
    const [operandRows = 0] = operand.shape;
    const start = operandRows === 1 ? BigInt(F32_BYTES * from) : 0n;
    return { op, address: addressOf(operand) + start, rows: operandRows };
  };
  const start = BigInt(BF16_BYTES * from * (transposeY ? inner : 1));
  return {
    outside: [],
    rows,
    columns: count,
    inner,
    format: "bf16",
    left: { address: left, strides: transposeX ? [1, rows] : [inner, 1] },
    right: { address: right + start, strides: transposeY ? [1, inner] : [all, 1] },
    steps: steps.map(stepOf),
  };
}

/** All columns in their order, so many at a time. */
export function columnBlocks(all: number, most: number): readonly ColumnBlock[] {
  return Array.from({ length: Math.ceil(all / most) }, (_, i) => ({
    from: i * most,
    count: Math.min(most, all - i * most),
  }));
}
