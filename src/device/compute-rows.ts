import { abs, add, cast, div, mul, scale, step, sub, type Expression } from "./expression.ts";
import { inOrder, rewrite } from "./graph.ts";

/** How rows are taken. */
export interface RowsTaken {
  /** Of what is not computed element by element. */
  readonly take: (table: Expression) => Expression;
  /** The format of what `take` gives, where that is one for all. */
  readonly dtype?: "f32";
}

/**
 * Some rows of a table that is computed element by element, as a merge is, computed of the same rows of what the table is computed
 * of. `done` is what was computed so far, by the node whose place it takes.
 */
export function computeRows(table: Expression, rows: RowsTaken, done: Map<Expression, Expression>): Expression {
  const known = done.get(table);
  if (known) return known;
  const computed = elementwise(table, (x) => computeRows(x, rows, done), rows) ?? rows.take(table);
  done.set(table, computed);
  return computed;
}

/** Whether a matrix is computed element by element of inputs and constants, or of some of their rows, alone. */
export function isElementwise(matrix: Expression): boolean {
  const height = matrix.shape[0];
  return inOrder([matrix]).every((node) => {
    if (isGiven(node)) return true;
    return node.shape[0] === height && elementwise(node, (x) => x, {}) !== undefined;
  });
}

/** The same, computed once more: what reads it need not wait for others that do, nor they for it. */
export function onceMore(matrix: Expression): Expression {
  if (!isElementwise(matrix)) return matrix;
  const [copy = matrix] = rewrite([matrix], (node, same) => (isGiven(node) ? node : { ...same() }));
  return copy;
}

function isGiven(node: Expression): boolean {
  return node.op === "input" || node.op === "constant" || (node.op === "sliceRows" && isGiven(node.x));
}

function elementwise(
  node: Expression,
  of: (x: Expression) => Expression,
  { dtype }: Pick<RowsTaken, "dtype">,
): Expression | undefined {
  switch (node.op) {
    case "cast": {
      if (node.dtype === "i32") return undefined;
      const rounded = cast(of(node.x), node.dtype);
      return dtype ? cast(rounded, dtype) : rounded;
    }
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
