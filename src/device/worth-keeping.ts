import { isCheap } from "./cheap.ts";
import type { Expression } from "./expression.ts";
import { inOrder, operands } from "./graph.ts";

/**
 * Of what was computed, the nodes from which `outputs`, such as derivatives of it, are at hand but for cheap operations. What
 * is computed of nothing but inputs by such operations, as merged weights are, is not among them.
 */
export function worthKeeping(
  computed: ReadonlySet<Expression>,
  outputs: readonly Expression[],
): ReadonlySet<Expression> {
  const kept = new Set<Expression>();
  const met = new Set<Expression>();
  const meet = (node: Expression): void => {
    if (met.has(node)) return;
    met.add(node);
    if (isCheap(node)) operands(node).forEach(meet);
    else kept.add(node);
  };
  for (const node of inOrder(outputs)) {
    if (computed.has(node)) continue;
    for (const operand of operands(node)) if (computed.has(operand)) meet(operand);
  }
  return kept;
}
