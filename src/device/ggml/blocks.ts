/**
 * Chains of elementwise operations, such as merges, in blocks of rows that stay in a CPU's cache: node by node, each would go
 * through memory once. Every element has the same bits.
 * @module
 */
import { bytesPerElement, type Dtype } from "../../tensor/dtype.ts";
import type { Expression, Node } from "../expression.ts";
import { operands } from "../graph.ts";
import type { Chain } from "./chains.ts";
import type { Pointer } from "./library.ts";
import { lower, type LoweringContext } from "./lowering.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** Elements of a block: f32, a few of them fit into the second level of a core's cache. */
const BLOCK_ELEMENTS = 2 ** 16;

/** Of a block that several chains read: what they share stays there beside what each makes of it. */
const SHARED_ELEMENTS = 2 ** 15;

/** The most nodes that a chain becomes: each node's in each block, and views of what it reads and of its ends. */
export function blockNodes(chain: Chain): number {
  const { nodes, ends, sources } = chain;
  const { rows, rowsOfBlock } = sizesOf(chain);
  const ofEachBlock = 2 * nodes.length + sources.length + 2 * ends.length;
  // Beside them the whole of each end, and rows of factors.
  return Math.ceil(rows / rowsOfBlock) * ofEachBlock + 2 * ends.length + nodes.length + 2;
}

/**
 * Adds a chain to a graph, `expand`ed block by block, and returns its ends, each of which lies in one piece: where it `stays`, or in work
 * space from the first block on until what reads it has been computed.
 */
export function lowerInBlocks(
  chain: Chain,
  lowering: LoweringContext,
  { expand, stays }: { readonly expand: (node: Pointer) => void; readonly stays: (end: Expression) => boolean },
): ReadonlyMap<Expression, Pointer> {
  const { ends, nodes, sources } = chain;
  const { ggml, context } = lowering;
  const { rows, rowsOfBlock } = sizesOf(chain);
  const read = sources.map((node) => [node, lowering.tensorOf(node)] as const);
  const readInside = new Set(nodes.flatMap(operands));
  const wholes = new Map(
    ends.map((end) => {
      const whole = ggml.newTensor(context, typeNumber[end.dtype], 4, innermostFirst(end.shape));
      // Work space for what nothing computes is given before the first node of all, unless it is a parameter.
      if (!stays(end)) ggml.setParameter(whole);
      return [end, whole] as const;
    }),
  );
  const factors = rowsOfFactors(chain, lowering);
  // Each block's place is a view of what was copied to the one before: work space of which a view is never read is never free again.
  const copied = new Map<Expression, Pointer>(wholes);
  let last = 0;
  for (let from = 0; from < rows; from += rowsOfBlock) {
    const count = Math.min(rowsOfBlock, rows - from);
    const blockOf = (pointer: Pointer, node: Expression): Pointer =>
      // What has one row for all is read as it is.
      (node.shape[0] ?? 1) < rows ? pointer : viewOf(lowering, pointer, node, { count, from });
    const made = new Map(read.map(([node, pointer]) => [node, blockOf(pointer, node)]));
    const block = { ...lowering, tensorOf: (node: Expression): Pointer => made.get(node) };
    for (const node of nodes) {
      // The last rounding is done on the way to where an end lies.
      const isOnTheWay = wholes.has(node) && !readInside.has(node) && node.op === "cast" && node.x.dtype === "f32";
      made.set(node, isOnTheWay ? made.get(node.x) : lowerPart(node, block, factors));
    }
    for (const end of ends) {
      const own = ggml.copyTo(
        context,
        made.get(end),
        viewOf(lowering, copied.get(end), end, { count, from: from - last }),
      );
      copied.set(end, own);
      expand(own);
    }
    last = from;
  }
  return new Map(
    Array.from(wholes, ([end, whole]) => [
      end,
      stays(end) ? whole : viewOf(lowering, copied.get(end), end, { count: rows, from: -last }),
    ]),
  );
}

function lowerPart(node: Expression, block: LoweringContext, factors: ReadonlyMap<Expression, Pointer>): Pointer {
  const row = factors.get(node);
  if (row && node.op === "scale") return block.ggml.mul(block.context, block.tensorOf(node.x), row);
  return lower(node as Parameters<typeof lower>[0], block);
}

/** Some rows of a matrix. */
function viewOf(
  { ggml, context }: LoweringContext,
  pointer: Pointer,
  { dtype, shape: [, width = 1] }: Expression,
  { count, from }: { readonly count: number; readonly from: number },
): Pointer {
  const rowBytes = width * bytesPerElement[dtype as Dtype];
  // An offset wraps around, so that a view may begin before what it is a view of, in the same tensor.
  return ggml.view2d(context, pointer, width, count, rowBytes, BigInt.asUintN(64, BigInt(from * rowBytes)));
}

/**
 * A row of equal factors for each scale of what others read, too: unless ggml may overwrite what it scales, it copies that first,
 * where a product by a row goes over it once.
 */
function rowsOfFactors({ nodes, ends, sources }: Chain, lowering: LoweringContext): ReadonlyMap<Expression, Pointer> {
  const { ggml, context } = lowering;
  const [, columns = 1] = ends[0]?.shape ?? [];
  const readers = new Map(sources.map((source) => [source, Infinity]));
  for (const operand of nodes.flatMap(operands)) readers.set(operand, (readers.get(operand) ?? 0) + 1);
  const isOfShared = (node: Expression): boolean => node.op === "scale" && (readers.get(node.x) ?? 0) > 1;
  const scales = nodes.filter(isOfShared) as Node<"scale">[];
  if (scales.length === 0) return new Map();
  const ones = ggml.step(context, ggml.arange(context, 1, columns + 1, 1));
  return new Map(scales.map((node) => [node, lower(node, { ...lowering, tensorOf: () => ones })]));
}

function sizesOf({ ends }: Chain): { readonly rows: number; readonly rowsOfBlock: number } {
  const [rows = 1, columns = 1] = ends[0]?.shape ?? [];
  const elements = ends.length > 1 ? SHARED_ELEMENTS : BLOCK_ELEMENTS;
  return { rows, rowsOfBlock: Math.max(1, Math.floor(elements / columns)) };
}
