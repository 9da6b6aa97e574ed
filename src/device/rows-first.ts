import { elementCount } from "../tensor/dtype.ts";
import { abs, add, cast, div, gatherRows, mul, scale, step, sub, type Expression, type Node } from "./expression.ts";

/**
 * The same outputs, to the bit, where rows of a table are taken before the table is computed element by element, as a merge
 * is: of an embedding then only the rows are merged that tokens name. What is taken may be scaled behind that. A table of which
 * the outputs together take as many rows as it has is computed whole, once for all of them. `copied` is told which nodes take
 * the place of which.
 */
export function rowsFirst(
  outputs: readonly Expression[],
  copied: (node: Expression, copy: Expression) => void = () => {},
): Expression[] {
  const taken = new Map<Expression, number>();
  for (const { table, rows } of outputs.flatMap(gatherOf)) {
    taken.set(table, (taken.get(table) ?? 0) + elementCount(rows.shape));
  }
  const rewrite = (output: Expression): Expression => {
    const [gather] = gatherOf(output);
    if (!gather || (taken.get(gather.table) ?? 0) >= (gather.table.shape[0] ?? 0)) return output;
    if (output.op === "scale") return scale(rewrite(output.x), output.factor);
    const copies = new Map<Expression, Expression>();
    const computed = computeRows(gather.table, gather.rows, copies);
    for (const [node, copy] of copies) copied(node, copy);
    return computed;
  };
  return outputs.map(rewrite);
}

/** Rows of a table, computed from the same rows of what the table is computed of; f32 as those of `gatherRows`. */
function computeRows(table: Expression, rows: Expression, done: Map<Expression, Expression>): Expression {
  const known = done.get(table);
  if (known) return known;
  const of = (x: Expression): Expression => computeRows(x, rows, done);
  const computed = elementwise(table, of) ?? gatherRows(table, rows);
  done.set(table, computed);
  return computed;
}

function elementwise(node: Expression, of: (x: Expression) => Expression): Expression | undefined {
  switch (node.op) {
    case "cast":
      return node.dtype === "i32" ? undefined : cast(cast(of(node.x), node.dtype), "f32");
    case "scale":
      return scale(of(node.x), node.factor);
    case "abs":
    case "step":
      return one[node.op](of(node.x));
    case "add":
    case "sub":
    case "mul":
    case "div":
      // What is the same for all rows stays as it is.
      if (node.y.shape[0] === 1 && node.x.shape[0] !== 1) return both[node.op](of(node.x), node.y);
      return node.x.shape[0] === node.y.shape[0] ? both[node.op](of(node.x), of(node.y)) : undefined;
    default:
      return undefined;
  }
}

const one = { abs, step };
const both = { add, sub, mul, div };

/** The rows that an output is, as they are or scaled, if it is that. */
function gatherOf(output: Expression): Node<"gatherRows">[] {
  if (output.op === "scale") return gatherOf(output.x);
  return output.op === "gatherRows" ? [output] : [];
}
