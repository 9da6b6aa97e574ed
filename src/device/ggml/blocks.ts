/**
 * Chains of elementwise operations, such as merges, in blocks of rows that stay in a CPU's cache: node by node, each would go
 * through memory once. Every element has the same bits.
 * @module
 */
import { bytesPerElement, elementCount, sameShape, type Dtype } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import { operands } from "../graph.ts";
import type { Pointer } from "./library.ts";
import { lower, type LoweringContext } from "./lowering.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** Elements of a block: f32, a few of them fit into the second level of a core's cache. */
const BLOCK_ELEMENTS = 2 ** 16;

/** Shorter chains are not worth their blocks. */
const LEAST_NODES = 3;

const ELEMENTWISE: ReadonlySet<Expression["op"]> = new Set([
  "cast",
  "add",
  "sub",
  "mul",
  "div",
  "scale",
  "abs",
  "step",
]);

/** Nodes of one shape in their order, of which the last is what others read. */
export interface Chain {
  readonly nodes: readonly Expression[];
  readonly end: Expression;
  /** What they read that is no part of them. */
  readonly sources: readonly Expression[];
}

/** The chains among nodes in their order, by the last of each: all nodes of a chain but that one are read in it alone. */
export function chainsOf(
  order: readonly Expression[],
  outputs: readonly Expression[],
  isFree: (node: Expression) => boolean = () => true,
): ReadonlyMap<Expression, Chain> {
  const asked = new Set(outputs);
  /** Of what was read so far the end of the chain that reads it; undefined where several do, or what is no part of any. */
  const readers = new Map<Expression, Expression | undefined>();
  const reversed = new Map<Expression, Expression[]>();
  for (const node of order.toReversed()) {
    const end = isPart(node) && isFree(node) ? ((asked.has(node) ? undefined : readers.get(node)) ?? node) : undefined;
    if (end) reversed.set(end, [...(reversed.get(end) ?? []), node]);
    for (const operand of operands(node)) {
      const reader = sameShape(operand.shape, node.shape) ? end : undefined;
      readers.set(operand, !readers.has(operand) || readers.get(operand) === reader ? reader : undefined);
    }
  }
  const long = [...reversed].filter(([, { length }]) => length >= LEAST_NODES);
  return new Map(long.map(([end, nodes]) => [end, chainOf(end, nodes.toReversed())]));
}

function chainOf(end: Expression, nodes: readonly Expression[]): Chain {
  const own = new Set(nodes);
  return { end, nodes, sources: [...new Set(nodes.flatMap(operands))].filter((node) => !own.has(node)) };
}

function isPart({ op, shape }: Expression): boolean {
  return ELEMENTWISE.has(op) && shape.length === 2 && elementCount(shape) >= 2 * BLOCK_ELEMENTS;
}

/** The most nodes that a chain becomes: each node's in each block, and views of what it reads and of its end. */
export function blockNodes({ end, nodes, sources }: Chain): number {
  const { rows, rowsOfBlock } = sizesOf(end);
  return Math.ceil(rows / rowsOfBlock) * (2 * nodes.length + sources.length + 2) + 1;
}

/**
 * Adds a chain to a graph, `expand`ed block by block, and returns its end, which lies in one piece: where it `stays`, or in work space
 * from the first block on until what reads it has been computed.
 */
export function lowerInBlocks(
  { end, nodes, sources }: Chain,
  lowering: LoweringContext,
  { expand, stays }: { readonly expand: (node: Pointer) => void; readonly stays: boolean },
): Pointer {
  const { ggml, context } = lowering;
  const { rows, rowsOfBlock } = sizesOf(end);
  const read = sources.map((node) => [node, lowering.tensorOf(node)] as const);
  const whole = ggml.newTensor(context, typeNumber[end.dtype], 4, innermostFirst(end.shape));
  // Work space for what nothing computes is given before the first node of all, unless it is a parameter.
  if (!stays) ggml.setParameter(whole);
  const viewOf = (pointer: Pointer, { dtype, shape }: Expression, count: number, from: number): Pointer => {
    const [, width = 1] = shape;
    const rowBytes = width * bytesPerElement[dtype as Dtype];
    // An offset wraps around, so that a view may begin before what it is a view of, in the same tensor.
    return ggml.view2d(context, pointer, width, count, rowBytes, BigInt.asUintN(64, BigInt(from * rowBytes)));
  };
  // Each block's place is a view of what was copied to the one before: work space of which a view is never read is never free again.
  let copied = whole;
  let last = 0;
  for (let from = 0; from < rows; from += rowsOfBlock) {
    const count = Math.min(rowsOfBlock, rows - from);
    const blockOf = (pointer: Pointer, node: Expression): Pointer =>
      // What has one row for all is read as it is.
      (node.shape[0] ?? 1) < rows ? pointer : viewOf(pointer, node, count, from);
    const made = new Map(read.map(([node, pointer]) => [node, blockOf(pointer, node)]));
    const block = { ...lowering, tensorOf: (node: Expression): Pointer => made.get(node) };
    for (const node of nodes) {
      // The last rounding is done on the way to where the end lies.
      const isOnTheWay = node === end && node.op === "cast" && node.x.dtype === "f32";
      made.set(node, isOnTheWay ? made.get(node.x) : lower(node as Parameters<typeof lower>[0], block));
    }
    copied = ggml.copyTo(context, made.get(end), viewOf(copied, end, count, from - last));
    expand(copied);
    last = from;
  }
  return stays ? whole : viewOf(copied, end, rows, -last);
}

function sizesOf({ shape: [rows = 1, columns = 1] }: Expression): {
  readonly rows: number;
  readonly rowsOfBlock: number;
} {
  return { rows, rowsOfBlock: Math.max(1, Math.floor(BLOCK_ELEMENTS / columns)) };
}
