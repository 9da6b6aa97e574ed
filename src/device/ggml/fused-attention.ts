/**
 * Attention that a backend computes in one node, whose scores are never in memory as a whole (FlashAttention,
 * arXiv:2205.14135). It is found in the graph: no model asks for it.
 * @module
 */
import { sameShape } from "../../tensor/dtype.ts";
import type { Expression, Node } from "../expression.ts";
import type { GraphReaders } from "./products/graph-readers.ts";

/** softmax(factor * query keys^T + mask) values, which stands for the last of its nodes. */
export interface FusedAttention extends Inner {
  /** f32 [batch, heads, n, d]. */
  readonly query: Expression;
  /** f32 [batch, kvHeads, count, d]. */
  readonly keys: Expression;
  /** f32 [batch, kvHeads, count, width]. */
  readonly values: Expression;
  /** f32 [batch, n, count]. */
  readonly mask: Expression;
  readonly factor: number;
  /** f32 [batch, n, heads, width]. */
  readonly end: Expression;
}

interface Inner {
  /** Nodes that nobody else reads. */
  readonly inner: readonly Expression[];
}

/** Those whose products are asked for in bf16, and whose softmax nobody else reads, by their last nodes. */
export function fusedAttentions(
  order: readonly Expression[],
  readers: GraphReaders,
): ReadonlyMap<Expression, FusedAttention> {
  const found = order.flatMap((node) => (node.op === "softmax" ? (attentionAround(node, readers) ?? []) : []));
  return new Map(found.map((attention) => [attention.end, attention]));
}

function attentionAround(softmax: Node<"softmax">, readers: GraphReaders): FusedAttention | undefined {
  const { mask, factor, shape } = softmax;
  const scores = scoresBelow(softmax);
  const mixed = mixedAbove(softmax, readers);
  if (!mask || !scores || !mixed) return undefined;
  const { product } = scores;
  const { end, values } = mixed;
  const inner = [...scores.inner, softmax, ...mixed.inner];
  if (!inner.every((node) => readers.only(node))) return undefined;
  const [batch = 0, heads = 0, n = 0, count = 0] = shape;
  const keys = product.y;
  const query = product.x.op === "reshape" ? product.x.x : product.x;
  const [, kvHeads = 0, , width = 0] = keys.shape;
  const [, , , valueWidth = 0] = values.shape;
  const fits =
    sameShape(query.shape, [batch, heads, n, width]) &&
    sameShape(keys.shape, [batch, kvHeads, count, width]) &&
    sameShape(values.shape, [batch, kvHeads, count, valueWidth]) &&
    sameShape(end.shape, [batch, n, heads, valueWidth]);
  return fits ? { query, keys, values, mask, factor, end, inner } : undefined;
}

/** The product in bf16 of queries and keys that a softmax reads. A soft cap's scale is no part of what graphs are kept for. */
function scoresBelow({ x: scores }: Node<"softmax">): (Inner & { readonly product: Node<"matmul"> }) | undefined {
  const product = scores.op === "reshape" ? scores.x : scores;
  if (product.op !== "matmul" || product.precision !== "bf16") return undefined;
  if (product.transposeX || !product.transposeY) return undefined;
  return { product, inner: scores === product ? [product] : [product, scores] };
}

/** The product in bf16 of a softmax and values, and what brings the heads of a token beside each other. */
function mixedAbove(
  softmax: Node<"softmax">,
  readers: GraphReaders,
): (Inner & Pick<FusedAttention, "values" | "end">) | undefined {
  const weights = reshapedBy(softmax, readers);
  const product = readers.only(weights);
  if (product?.op !== "matmul" || product.precision !== "bf16" || product.x !== weights) return undefined;
  if (product.transposeX || product.transposeY || product.y === weights) return undefined;
  const mixed = reshapedBy(product, readers);
  const end = readers.only(mixed);
  if (end?.op !== "permute" || !exchangesMiddle(end)) return undefined;
  return { values: product.y, end, inner: [...new Set([weights, product, mixed])].filter((node) => node !== softmax) };
}

/** The reshape that alone reads a node, or the node. */
function reshapedBy(node: Expression, readers: GraphReaders): Expression {
  const reader = readers.only(node);
  return reader?.op === "reshape" ? reader : node;
}

/** Whether two of four dimensions are exchanged: tokens and heads. */
export function exchangesMiddle({ order }: Node<"permute">): boolean {
  return order.join() === "0,2,1,3";
}
