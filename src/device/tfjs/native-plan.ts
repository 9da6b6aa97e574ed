import { elementCount, sameShape } from "../../tensor/dtype.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import { inOrder, operands } from "../graph.ts";
import type { LoweringPlan } from "./lowering.ts";
import { computedOnce } from "./native-once.ts";
import { readsOfRope } from "./native-rope.ts";

/** Terms of one sum: of more, TensorFlow adds the others to each other first, which gives other bits. */
const MOST_TERMS = 8;

/** Of a sum that is computed at once, whose terms are there together. With more, an operation takes far longer than its launch. */
const MOST_ELEMENTS = 2 ** 22;

/** What one operation can do of several nodes, it does: those between are not computed. */
export function planNatively(outputs: readonly Expression[]): LoweringPlan {
  const asked = inOrder(outputs);
  const once = computedOnce(outputs, asked);
  const whole = once === outputs ? asked : inOrder(once);
  const merged = mergedOf(whole);
  const readers = new Map<Expression, number>();
  for (const read of [once, ...whole.map(operands)]) {
    for (const node of read) readers.set(node, (readers.get(node) ?? 0) + 1);
  }
  const known = new Map<Expression, readonly Expression[]>();
  const needed = new Set(once);
  // Those that read a node stand behind it.
  for (const node of whole.toReversed()) {
    if (!needed.has(node)) continue;
    const own = readsOf(node, { merged, isReadOnce: (operand) => readers.get(operand) === 1 });
    known.set(node, own);
    for (const operand of own) needed.add(operand);
  }
  const order = whole.filter((node) => needed.has(node));
  return { outputs: once, order, reads: (node) => known.get(node) ?? operands(node) };
}

const ofMerges: ReadonlySet<Operation> = new Set([
  "input",
  "constant",
  "cast",
  "scale",
  "add",
  "sub",
  "mul",
  "div",
  "abs",
  "step",
]);

/** What is computed element by element of inputs and constants alone. */
function mergedOf(order: readonly Expression[]): ReadonlySet<Expression> {
  const merged = new Set<Expression>();
  for (const node of order) {
    if (ofMerges.has(node.op) && operands(node).every((operand) => merged.has(operand))) merged.add(node);
  }
  return merged;
}

interface Planned {
  readonly merged: ReadonlySet<Expression>;
  readonly isReadOnce: (operand: Expression) => boolean;
}

function readsOf(node: Expression, { merged, isReadOnce }: Planned): readonly Expression[] {
  switch (node.op) {
    case "rope":
      return readsOfRope(node);
    case "reshape":
      return isReadOnce(node.x) ? readsOfReshape(node) : operands(node);
    case "add":
      // Of sums over batches each adds what it has before the next begins: their terms are not to be there together.
      return elementCount(node.shape) <= MOST_ELEMENTS
        ? termsOf(node, (sum) => merged.has(sum) && isReadOnce(sum))
        : operands(node);
    default:
      return operands(node);
  }
}

/** Rows that are taken to their places in sequences are taken there at once, if the rows' numbers are told by sequence. */
function readsOfReshape(node: Node<"reshape">): readonly Expression[] {
  const { x, shape } = node;
  const [sequences = 0, length = 0] = shape;
  return x.op === "gatherRows" && shape.length > 2 && sequences * length === x.shape[0]
    ? [x.table, x.rows]
    : operands(node);
}

/** Of a sum of sums, each of its terms, in the order in which they are added. */
function termsOf(
  { x, y }: Node<"add">,
  isPartOfMerge: (sum: Expression) => boolean,
  most: number = MOST_TERMS,
): readonly Expression[] {
  const isSum = x.op === "add" && sameShape(x.y.shape, x.shape) && sameShape(y.shape, x.shape);
  return isSum && most > 2 && isPartOfMerge(x) ? [...termsOf(x, isPartOfMerge, most - 1), y] : [x, y];
}
