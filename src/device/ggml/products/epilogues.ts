/** Elementwise operations behind products, which a library can do on each result before it writes it. */
import { sameShape } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import { operands } from "../../graph.ts";
import type { ResultStep } from "./product-library.ts";

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
  outputs: readonly Expression[],
  takes: (product: Node<"matmul">) => boolean,
): ReadonlyMap<Expression, FinishedProduct> {
  const readers = readersOf(order);
  const asked = new Set(outputs);
  const taken = new Set<Expression>();
  const isRounding = (reader: Expression, read: Expression): boolean =>
    reader.op === "matmul" && reader.precision === "bf16" && reader.x === read && reader.y !== read && takes(reader);
  const stepBehind = (node: Expression): (EpilogueStep & { readonly reader: Expression }) | undefined => {
    const [reader, ...others] = readers.get(node) ?? [];
    if (!reader || others.length > 0 || asked.has(node) || taken.has(reader)) return undefined;
    const step = stepOf(reader, node);
    return step && { ...step, reader };
  };
  const finish = (product: Node<"matmul">): FinishedProduct => {
    const steps: EpilogueStep[] = [];
    const inner: Expression[] = [];
    let end: Expression = product;
    for (let step = stepBehind(end); step; step = stepBehind(end)) {
      steps.push(step);
      inner.push(end);
      taken.add(step.reader);
      end = step.reader;
    }
    const all = readers.get(end) ?? [];
    const isRounded = !asked.has(end) && all.length > 0 && all.every((reader) => isRounding(reader, end));
    return { product, steps, end, inner, isRounded };
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

function readersOf(order: readonly Expression[]): ReadonlyMap<Expression, readonly Expression[]> {
  const readers = new Map<Expression, Expression[]>();
  for (const node of order) {
    for (const operand of new Set(operands(node))) {
      const known = readers.get(operand);
      if (known) known.push(node);
      else readers.set(operand, [node]);
    }
  }
  return readers;
}
