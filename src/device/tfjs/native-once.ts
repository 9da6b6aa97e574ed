import { elementCount } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import { operands, rewrite } from "../graph.ts";

/** Larger ones were asked for twice so that they need not stay. */
const MOST_ELEMENTS = 2 ** 20;

/** The same outputs where small results that are asked for once more are computed once. */
export function computedOnce(outputs: readonly Expression[]): readonly Expression[] {
  const numbers = new Map<Expression, number>();
  const numberOf = (node: Expression): number => {
    const number = numbers.get(node) ?? numbers.size;
    numbers.set(node, number);
    return number;
  };
  const known = new Map<string, Expression>();
  return rewrite(outputs, (_, same) => {
    const node = same();
    const what = signatureOf(node);
    if (what === undefined || elementCount(node.shape) > MOST_ELEMENTS) return node;
    const key = [what, ...operands(node).map(numberOf)].join(" ");
    const first = known.get(key) ?? node;
    known.set(key, first);
    return first;
  });
}

/** What a merge does to its operands; undefined for what is not part of one. */
function signatureOf(node: Expression): string | undefined {
  switch (node.op) {
    case "cast":
      return `cast ${node.dtype}`;
    case "scale":
      return `scale ${node.factor}`;
    case "add":
    case "sub":
    case "mul":
    case "div":
      return node.op;
    default:
      return undefined;
  }
}
