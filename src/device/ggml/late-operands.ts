/**
 * What a GPU's backend computes in one pass with what it is multiplied by, if both stand one behind the other in the graph: a
 * norm, whose factors may have to be widened first, and the silu of a gate, whose other factor is a product.
 * @module
 */
import type { Expression } from "../expression.ts";
import { operands } from "../graph.ts";
import type { GraphReaders } from "./products/graph-readers.ts";

/** An operand that a product alone reads, and what must be there before it so that the product follows at once. */
export interface LateOperand {
  readonly operand: Expression;
  readonly before: readonly Expression[];
}

/** By the product that reads them. */
export function lateOperands(
  order: readonly Expression[],
  readers: GraphReaders,
): ReadonlyMap<Expression, LateOperand> {
  const isLate = (node: Expression): boolean =>
    (node.op === "normalize" || node.op === "silu") && readers.only(node) !== undefined;
  return new Map(
    order.flatMap((node) => {
      if (node.op !== "mul") return [];
      const operand = operands(node).find(isLate);
      if (!operand) return [];
      return [[node, { operand, before: operands(node).filter((other) => other !== operand) }] as const];
    }),
  );
}
