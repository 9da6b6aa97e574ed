import type { Expression, Node } from "../../../../src/device/expression.ts";
import { GraphReaders } from "../../../../src/device/ggml/products/graph-readers.ts";
import { inOrder } from "../../../../src/device/graph.ts";

/** The order of a graph and who reads what, where a library computes all products. */
export function readGraph(outputs: readonly Expression[]): {
  readonly order: Expression[];
  readonly readers: GraphReaders;
} {
  const order = inOrder(outputs);
  return { order, readers: new GraphReaders(order, outputs, isOfBf16) };
}

export function isOfBf16({ precision }: Node<"matmul">): boolean {
  return precision === "bf16";
}
