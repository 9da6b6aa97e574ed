import { elementCount } from "../tensor/dtype.ts";
import { gatherRows, scale, type Expression, type Node } from "./expression.ts";
import { computeRows } from "./compute-rows.ts";

/**
 * The same outputs, to the bit, where rows of a table are taken before the table is computed element by element, as a merge
 * is: of an embedding then only the rows are merged that tokens name. What is taken may be scaled behind that. A table of which
 * the outputs together take as many rows as it has is computed whole, once for all of them. `copied` is told which nodes take
 * the place of which, and `heightOf` says how many rows a table has of which some alone are there.
 */
export function rowsFirst(
  outputs: readonly Expression[],
  copied: (node: Expression, copy: Expression) => void = () => {},
  heightOf: (table: Expression) => number = ({ shape }) => shape[0] ?? 0,
): Expression[] {
  const taken = new Map<Expression, number>();
  for (const { table, rows } of outputs.flatMap(gatherOf)) {
    taken.set(table, (taken.get(table) ?? 0) + elementCount(rows.shape));
  }
  const rewrite = (output: Expression): Expression => {
    const [gather] = gatherOf(output);
    if (!gather || (taken.get(gather.table) ?? 0) >= heightOf(gather.table)) return output;
    if (output.op === "scale") return scale(rewrite(output.x), output.factor);
    const copies = new Map<Expression, Expression>();
    // Rows that are gathered are f32.
    const rows = { take: (table: Expression) => gatherRows(table, gather.rows), dtype: "f32" } as const;
    const computed = computeRows(gather.table, rows, copies);
    for (const [node, copy] of copies) copied(node, copy);
    return computed;
  };
  return outputs.map(rewrite);
}

/** The rows that an output is, as they are or scaled, if it is that. */
function gatherOf(output: Expression): Node<"gatherRows">[] {
  if (output.op === "scale") return gatherOf(output.x);
  return output.op === "gatherRows" ? [output] : [];
}
