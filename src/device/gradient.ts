/**
 * Reverse mode over expressions, as expressions: derivatives are computed by the same engines, in the same graph.
 * @module
 */
import { sameShape } from "../tensor/dtype.ts";
import { add, type Expression } from "./expression.ts";
import { derivativeOf, discrete } from "./gradient-rules.ts";
import { inOrder, namedOperands, operands } from "./graph.ts";

/**
 * Derivatives of the sum of <seed, output> over the outputs with respect to each wanted node, f32 in its shape; undefined for a
 * node on which no output depends. Seeds are f32 in the shape of their output. What is rounded by a cast passes on its derivative
 * unchanged (straight through). With respect to the factor of a `scale` node, of which the derivative g is wanted, the
 * derivative is dot(g, node.x).
 */
export function gradients(
  outputs: readonly { readonly output: Expression; readonly seed: Expression }[],
  wanted: readonly Expression[],
): (Expression | undefined)[] {
  const found = new Map<Expression, Expression>();
  const addTo = (node: Expression, derivative: Expression): void => {
    const sum = found.get(node);
    found.set(node, sum ? add(sum, derivative) : derivative);
  };
  for (const { output, seed } of outputs) {
    if (seed.dtype !== "f32" || !sameShape(seed.shape, output.shape)) {
      const [expected, shape] = [output.shape, seed.shape].map((sizes) => sizes.join(", "));
      throw new Error(`gradients: expected a seed f32 [${expected}], found ${seed.dtype} [${shape}]`);
    }
    addTo(output, seed);
  }
  // Backwards, yet beginning with the first output: sums over batches then grow in the order in which batches are computed.
  const order = inOrder(outputs.map(({ output }) => output).toReversed());
  const leading = nodesThatReach(wanted, order);
  for (const node of order.toReversed()) {
    const g = found.get(node);
    if (!g || !leading.has(node)) continue;
    for (const [name, operand] of namedOperands(node)) {
      if (leading.has(operand)) addTo(operand, derivativeOf(node, name, g));
    }
  }
  return wanted.map((node) => found.get(node));
}

/** The nodes that are among the targets or pass something back to one, directly or not; `order` has operands before users. */
function nodesThatReach(targets: readonly Expression[], order: readonly Expression[]): ReadonlySet<Expression> {
  const reaching = new Set(targets);
  const ends: ReadonlySet<string> = new Set(discrete);
  for (const node of order) {
    if (!ends.has(node.op) && operands(node).some((operand) => reaching.has(operand))) reaching.add(node);
  }
  return reaching;
}
