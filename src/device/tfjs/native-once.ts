import { elementCount } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import { operands, substitute } from "../graph.ts";

/** Larger ones were asked for twice so that they need not stay. */
const MOST_ELEMENTS = 2 ** 20;

/** The same outputs where small parts of merges that are asked for once more are computed once; `order` has all nodes. */
export function computedOnce(outputs: readonly Expression[], order: readonly Expression[]): readonly Expression[] {
  const numbers = new Map<Expression, number>();
  const known = new Map<string, Expression>();
  const repeated = new Map<Expression, Expression>();
  for (const [i, node] of order.entries()) {
    numbers.set(node, i);
    const what = signatureOf(node);
    if (what === undefined || elementCount(node.shape) > MOST_ELEMENTS) continue;
    const key = operands(node).reduce((text, operand) => `${text} ${numbers.get(operand)}`, what);
    const first = known.get(key) ?? node;
    known.set(key, first);
    if (first === node) continue;
    repeated.set(node, first);
    numbers.set(node, numbers.get(first) ?? i);
  }
  return repeated.size === 0 ? outputs : substitute(outputs, repeated);
}

/** What a merge does to its operands; undefined for what is not part of one. */
function signatureOf(node: Expression): string | undefined {
  switch (node.op) {
    case "cast":
      return `cast ${node.dtype}`;
    case "scale":
      // 0 has two signs, and so have its products.
      return `scale ${node.factor} ${1 / node.factor}`;
    case "add":
    case "sub":
    case "mul":
    case "div":
      return node.op;
    default:
      return undefined;
  }
}
