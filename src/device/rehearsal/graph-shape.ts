import type { Expression } from "../expression.ts";
import { operands } from "../graph.ts";

/**
 * Text that two graphs share which take a device the same time: operations, formats, shapes and who reads what, without the
 * numbers in them. `order` has every node once, inputs before users.
 */
export function graphShape(order: readonly Expression[], outputs: readonly Expression[]): string {
  const places = new Map(order.map((node, i) => [node, i]));
  const placesOf = (nodes: readonly Expression[]): string => nodes.map((node) => places.get(node)).join(" ");
  const lines = order.map(
    (node) => `${describe(node)} ${node.dtype} ${node.shape.join("x")}: ${placesOf(operands(node))}`,
  );
  return [...lines, placesOf(outputs)].join("\n");
}

/** What of a node, beside its type and what it reads, decides how it is computed. */
function describe(node: Expression): string {
  switch (node.op) {
    case "matmul":
      return `matmul ${node.transposeX} ${node.transposeY} ${node.precision}`;
    case "permute":
      return `permute ${node.order.join(" ")}`;
    case "gelu":
    case "geluBack":
      return `${node.op} ${node.form}`;
    case "concat":
      return `concat ${node.axis}`;
    default:
      return node.op;
  }
}

/** Operations of the products of matrices among nodes: two for each product of numbers. */
export function productFlop(nodes: readonly Expression[]): number {
  return nodes.reduce((sum, node) => {
    if (node.op !== "matmul") return sum;
    const [rows = 1, columns = 1] = node.x.shape.slice(-2);
    const inner = node.transposeX ? rows : columns;
    return sum + 2 * inner * node.shape.reduce((product, side) => product * side, 1);
  }, 0);
}
