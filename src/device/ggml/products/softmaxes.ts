import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { GraphReaders } from "./graph-readers.ts";

/** Fewer elements take ggml no longer than the calls on threads. */
const LEAST_ELEMENTS = 2 ** 16;

/** Operations whose results lie in memory of their own. */
const FRESH: ReadonlySet<Expression["op"]> = new Set(["matmul", "add", "tanh"]);

/** A softmax that a library computes, and whether it rounds the result to bf16. */
export interface LibrarySoftmax {
  readonly node: Node<"softmax">;
  readonly isRounded: boolean;
}

/** Those with a mask that read what nobody else does, since it is overwritten. */
export function librarySoftmaxes(
  order: readonly Expression[],
  readers: GraphReaders,
): ReadonlyMap<Expression, LibrarySoftmax> {
  const all = order.filter((node) => node.op === "softmax");
  const suited = all.filter(
    (node) => node.mask && elementCount(node.shape) >= LEAST_ELEMENTS && mayOverwrite(node.x, readers),
  );
  return new Map(suited.map((node) => [node, { node, isRounded: readers.round(node) }]));
}

function mayOverwrite(x: Expression, readers: GraphReaders): boolean {
  if (!readers.only(x)) return false;
  return x.op === "reshape" ? mayOverwrite(x.x, readers) : FRESH.has(x.op);
}
