import { sameShape } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { GraphReaders } from "./graph-readers.ts";

/** Fewer take ggml no longer than the calls on threads. */
const LEAST_ROWS = 16;

/** A normalisation that a library computes, with the row that alone it is multiplied by, which stand for `end`. */
export interface LibraryNorm {
  readonly node: Node<"normalize">;
  readonly weight: Expression | undefined;
  readonly end: Expression;
  /** Nodes that nobody else reads. */
  readonly inner: readonly Expression[];
  /** Whether all that read the end would round it to bf16. */
  readonly isRounded: boolean;
}

/** By the last node of each; `isFree` tells of nodes that nothing else computes. */
export function libraryNorms(
  order: readonly Expression[],
  readers: GraphReaders,
  isFree: (node: Expression) => boolean,
): ReadonlyMap<Expression, LibraryNorm> {
  const nodes = order.filter((node) => node.op === "normalize");
  const norms = nodes
    .filter(({ shape: [rows = 0] }) => rows >= LEAST_ROWS)
    .map((node): LibraryNorm => {
      const reader = readers.only(node);
      const weight = reader && isFree(reader) ? weightOf(reader, node) : undefined;
      const end = weight && reader ? reader : node;
      return { node, weight, end, inner: weight ? [node] : [], isRounded: readers.round(end) };
    });
  return new Map(norms.map((norm) => [norm.end, norm]));
}

/** The row by which every row of x is multiplied there. */
function weightOf(reader: Expression, x: Expression): Expression | undefined {
  if (reader.op !== "mul" || reader.x !== x || reader.y === x) return undefined;
  return sameShape(reader.y.shape, [1, x.shape[1] ?? 0]) ? reader.y : undefined;
}
