/** Products with large matrices, such as the head of a large vocabulary, in blocks of their rows: none is there as a whole. */
import { elementCount, type Shape } from "../tensor/dtype.ts";
import { concat, matmul, sliceRows, type Expression } from "./expression.ts";
import { rewrite } from "./graph.ts";
import { isElementwise, computeRows } from "./compute-rows.ts";

/** Elements of a matrix that is computed as a whole, and of a block: those of a layer of 8 billion weights are. */
const WHOLE_ELEMENTS = 2 ** 26;

/** Some of the rows of a matrix. */
export interface RowRange {
  readonly from: number;
  readonly count: number;
}

/** The blocks of a matrix of that shape, of as many rows as the limit allows, but for the last; one of all rows where it is no larger. */
export function rowBlocks([rows = 0, width = 1]: Shape, wholeElements: number = WHOLE_ELEMENTS): RowRange[] {
  const most = rows * width <= wholeElements ? rows : Math.max(1, Math.floor(wholeElements / width));
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => {
    const from = i * most;
    return { from, count: Math.min(most, rows - from) };
  });
}

/**
 * The same outputs where a large matrix, computed element by element as a merge is, is multiplied block by block, each of which
 * is computed for its product: so one block at a time is there of the matrix, of derivatives by it, and of what these are
 * multiplied with. Blocks depend on the shape alone. Products of the way forward have the same bits where an engine's products give a
 * column the same bits however many there are; what a way back sums over blocks has those of f32 sums in another order. `copied` is
 * told which nodes take the place of which.
 */
export function productsInBlocks(
  outputs: readonly Expression[],
  copied: (node: Expression, copy: Expression) => void = () => {},
  wholeElements: number = WHOLE_ELEMENTS,
): readonly Expression[] {
  const blocks = new Map<Expression, readonly Expression[]>();
  const blocksOf = (matrix: Expression): readonly Expression[] => {
    const known = blocks.get(matrix) ?? divided(matrix, wholeElements, copied);
    blocks.set(matrix, known);
    return known;
  };
  return rewrite(outputs, (node, same) => {
    if (node.op !== "matmul" || !node.transposeY) return same();
    if (elementCount(node.y.shape) <= wholeElements || !isElementwise(node.y)) return same();
    const { x, transposeX, precision } = same() as typeof node;
    return sideBySide(blocksOf(node.y).map((y) => matmul(x, y, { transposeX, transposeY: true, precision })));
  });
}

function divided(
  matrix: Expression,
  wholeElements: number,
  copied: (node: Expression, copy: Expression) => void,
): Expression[] {
  return rowBlocks(matrix.shape, wholeElements).map(({ from, count }) => {
    const copies = new Map<Expression, Expression>();
    const take = (table: Expression): Expression => sliceRows(table, from, count);
    const block = computeRows(matrix, { take }, copies);
    for (const [node, copy] of copies) copied(node, copy);
    return block;
  });
}

/** Side by side; halves first, so that nothing is copied more often than it must be. */
export function sideBySide(parts: readonly Expression[]): Expression {
  const [first, ...others] = parts;
  if (!first) throw new Error("row blocks: there is none");
  if (others.length === 0) return first;
  const middle = Math.ceil(parts.length / 2);
  return concat(sideBySide(parts.slice(0, middle)), sideBySide(parts.slice(middle)), 1);
}
