import type { Expression, Operation } from "./expression.ts";
import { inOrder, operands } from "./graph.ts";

/** Operations that take hardly longer than writing down what they give: they are done again where that is read. */
const CHEAP: ReadonlySet<Operation> = new Set([
  "input",
  "constant",
  "cast",
  "reshape",
  "permute",
  "add",
  "sub",
  "mul",
  "div",
  "scale",
  "silu",
  "gelu",
  "relu",
  "abs",
  "step",
  "normalize",
  "gatherRows",
  "sliceRows",
]);

/** Whether a result is computed again rather than kept. */
export function isCheap({ op }: Expression): boolean {
  return CHEAP.has(op);
}

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
