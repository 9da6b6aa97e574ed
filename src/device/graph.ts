/** The nodes that outputs need, and the order in which they are computed. */
import { isCheap } from "./cheap.ts";
import type { DeviceTensor } from "./device-tensor.ts";
import type { Expression, Node, Operation } from "./expression.ts";

/** The fields of an operation's nodes that are expressions. */
export type OperandName<Op extends Operation> = {
  [Name in keyof Node<Op>]-?: Node<Op>[Name] extends Expression | undefined ? Name : never;
}[keyof Node<Op>];

/** By operation, in a fixed order. */
export const operandNames: { readonly [Op in Operation]: readonly OperandName<Op>[] } = {
  input: [],
  constant: [],
  cast: ["x"],
  reshape: ["x"],
  permute: ["x"],
  add: ["x", "y"],
  sub: ["x", "y"],
  mul: ["x", "y"],
  div: ["x", "y"],
  scale: ["x"],
  sumTo: ["x"],
  silu: ["x"],
  gelu: ["x"],
  relu: ["x"],
  tanh: ["x"],
  abs: ["x"],
  step: ["x"],
  matmul: ["x", "y"],
  gatherRows: ["table", "rows", "inverse"],
  scatterRows: ["x", "rows"],
  sliceRows: ["x"],
  concat: ["x", "y"],
  normalize: ["x"],
  rope: ["x", "positions", "periods"],
  softmax: ["x", "mask"],
  logProbability: ["logits", "targets"],
  argmax: ["x"],
  siluBack: ["g", "x"],
  geluBack: ["g", "x"],
  reluBack: ["g", "x"],
  normalizeBack: ["g", "x"],
  softmaxBack: ["g", "result"],
  logProbabilityBack: ["g", "logits", "targets"],
  padRows: ["g"],
  dot: ["x", "y"],
};

/** Every operation there is. */
export const operations = Object.keys(operandNames) as readonly Operation[];

/** The nodes that an expression reads directly by the names of their fields, in a fixed order. */
export function namedOperands(node: Expression): readonly (readonly [name: string, operand: Expression])[] {
  const fields = fieldsOf(node);
  const names: readonly string[] = operandNames[node.op];
  return names.map((name) => [name, fields[name]] as const).filter((pair): pair is [string, Expression] => !!pair[1]);
}

/** The nodes that an expression reads directly, in a fixed order. */
export function operands(node: Expression): readonly Expression[] {
  const fields = fieldsOf(node);
  const names: readonly string[] = operandNames[node.op];
  const read = names.map((name) => fields[name]);
  // Graphs are walked many times, and a mask is all that is ever left out.
  return read.every(isThere) ? read : read.filter(isThere);
}

function fieldsOf(node: Expression): Readonly<Record<string, Expression | undefined>> {
  return node as unknown as Readonly<Record<string, Expression | undefined>>;
}

function isThere(operand: Expression | undefined): operand is Expression {
  return operand !== undefined;
}

/**
 * Every node that the outputs need, each once, inputs before users. What cheap operations make of inputs alone, such as a merged
 * weight, is computed when it is first read. Another node is computed as soon as all else that it reads has been, if something
 * made that happen: so of the derivatives of many batches in one graph, what each adds to those of the weights is there before
 * the next batch begins, and its activations are needed no longer.
 */
export function inOrder(outputs: readonly Expression[]): Expression[] {
  const { users, missing, late } = readersOf(outputs);
  const done = new Set<Expression>();
  const finishLate = (node: Expression): void => {
    for (const operand of operands(node)) if (late.has(operand) && !done.has(operand)) finishLate(operand);
    done.add(node);
  };
  const finish = (first: Expression): void => {
    const ready = [first];
    for (let node = ready.pop(); node; node = ready.pop()) {
      finishLate(node);
      const made: Expression[] = [];
      for (const user of users.get(node) ?? []) {
        const left = (missing.get(user) ?? 0) - 1;
        missing.set(user, left);
        if (left === 0) made.push(user);
      }
      // What one of them leads to is computed before the next.
      ready.push(...made.toReversed());
    }
  };
  const visit = (node: Expression): void => {
    if (done.has(node)) return;
    for (const operand of operands(node)) if (!late.has(operand)) visit(operand);
    if (!done.has(node)) finish(node);
  };
  for (const output of outputs) visit(output);
  return [...done];
}

/** The same outputs where others stand in the place of some nodes, each of the same type and shape. */
export function substitute(
  outputs: readonly Expression[],
  others: ReadonlyMap<Expression, Expression>,
): readonly Expression[] {
  return rewrite(outputs, (node, same) => others.get(node) ?? same());
}

/**
 * The same outputs where each node is what `change` makes of it, of the same type and shape; `same` is the node itself with what
 * was made of that which it reads.
 */
export function rewrite(
  outputs: readonly Expression[],
  change: (node: Expression, same: () => Expression) => Expression,
): readonly Expression[] {
  const done = new Map<Expression, Expression>();
  const made = (node: Expression): Expression => {
    const known = done.get(node);
    if (known) return known;
    const own = change(node, () => withOperands(node, made));
    done.set(node, own);
    return own;
  };
  return outputs.map(made);
}

function withOperands(node: Expression, made: (operand: Expression) => Expression): Expression {
  const read = namedOperands(node).map(([name, operand]) => [name, operand, made(operand)] as const);
  if (read.every(([, operand, own]) => operand === own)) return node;
  return { ...node, ...Object.fromEntries(read.map(([name, , own]) => [name, own])) };
}

/** Of the nodes that outputs need. */
interface Readers {
  /** What cheap operations make of inputs alone. */
  readonly late: ReadonlySet<Expression>;
  /** Who reads each of the others, once for each time. */
  readonly users: ReadonlyMap<Expression, readonly Expression[]>;
  /** How many reads by each node of such others are still to come. */
  readonly missing: Map<Expression, number>;
}

function readersOf(outputs: readonly Expression[]): Readers {
  const late = new Set<Expression>();
  const users = new Map<Expression, Expression[]>();
  const missing = new Map<Expression, number>();
  const meet = (node: Expression): void => {
    if (missing.has(node)) return;
    missing.set(node, 0);
    const read = operands(node);
    read.forEach(meet);
    const waited = read.filter((operand) => !late.has(operand));
    if (waited.length === 0 && isCheap(node)) late.add(node);
    missing.set(node, waited.length);
    for (const operand of waited) {
      const known = users.get(operand);
      if (known) known.push(node);
      else users.set(operand, [node]);
    }
  };
  outputs.forEach(meet);
  return { users, missing, late };
}

/** The tensors that the nodes read, each once. */
export function tensorsOf(nodes: readonly Expression[]): DeviceTensor[] {
  return [...new Set(nodes.flatMap((node) => (node.op === "input" ? [node.tensor] : [])))];
}
