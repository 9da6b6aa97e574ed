/** Elementwise operations behind products, which a library can do on each result before it writes it. */
import { sameShape } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { ResultStep } from "./product-library.ts";
import type { GraphReaders } from "./graph-readers.ts";

/** A node of ggml has nine operands, two of which are factors. */
const MOST_STEPS = 7;

/** A step whose operand is still to be computed. */
export type EpilogueStep = { readonly op: ResultStep["op"]; readonly operand?: Expression };

/** A product and what follows it, which stand for the last of these nodes. */
export interface FinishedProduct {
  readonly product: Node<"matmul">;
  readonly steps: readonly EpilogueStep[];
  readonly end: Expression;
  /** Nodes that nobody else reads. */
  readonly inner: readonly Expression[];
  /** Whether all that read the end would round it to bf16. */
  readonly isRounded: boolean;
}

/** The products that a library takes, by the last node of each. */
export function finishedProducts(
  order: readonly Expression[],
  readers: GraphReaders,
  takes: (product: Node<"matmul">) => boolean,
): ReadonlyMap<Expression, FinishedProduct> {
  const taken = new Set<Expression>();
  const stepBehind = (node: Expression): (EpilogueStep & { readonly reader: Expression }) | undefined => {
    const reader = readers.only(node);
    const step = reader && !taken.has(reader) ? stepOf(reader, node) : undefined;
    return reader && step && { ...step, reader };
  };
  const finish = (product: Node<"matmul">): FinishedProduct => {
    const steps: EpilogueStep[] = [];
    const inner: Expression[] = [];
    let end: Expression = product;
    for (let step = stepBehind(end); step && steps.length < MOST_STEPS; step = stepBehind(end)) {
      steps.push(step);
      inner.push(end);
      taken.add(step.reader);
      end = step.reader;
    }
    return { product, steps, end, inner, isRounded: readers.round(end) };
  };
  // Of two products that one operation reads, the later takes it: then the other is there.
  const products = order.toReversed().filter((node) => node.op === "matmul" && takes(node));
  const finished = products.map((node) => finish(node as Node<"matmul">));
  return new Map(
    finished.filter(({ steps, isRounded }) => steps.length > 0 || isRounded).map((each) => [each.end, each]),
  );
}

/** What an operation does with x as a step behind the product; undefined where it is none. */
function stepOf(node: Expression, x: Expression): EpilogueStep | undefined {
  if (node.op === "silu" || node.op === "relu") return { op: node.op };
  if (node.op === "gelu") return { op: node.form === "erf" ? "gelu erf" : "gelu tanh" };
  if (node.op !== "add" && node.op !== "mul") return undefined;
  const operand = node.x === x ? node.y : node.x;
  const [rows, columns] = node.shape;
  const fits = [
    [rows, columns],
    [1, columns],
  ].some((shape) => sameShape(operand.shape, shape as number[]));
  return fits && operand !== x && sameShape(node.shape, x.shape) ? { op: node.op, operand } : undefined;
}
