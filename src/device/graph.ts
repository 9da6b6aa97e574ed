/** The nodes that outputs need, and the order in which they are computed. */
import type { DeviceTensor } from "./device-tensor.ts";
import type { Expression, Node, Operation } from "./expression.ts";

/** The fields of an operation's nodes that are expressions. */
export type OperandName<Op extends Operation> = {
  [Name in keyof Node<Op>]-?: Node<Op>[Name] extends Expression | undefined ? Name : never;
}[keyof Node<Op>];

const operandNames: { readonly [Op in Operation]: readonly OperandName<Op>[] } = {
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
 * Every node that the outputs need, each once, inputs before users. A node is computed as soon as all that it reads has been,
 * if something else made that happen: so of the derivatives of many batches in one graph, what each adds to those of the
 * weights is there before the next batch begins, and its activations are needed no longer.
 */
export function inOrder(outputs: readonly Expression[]): Expression[] {
  const { users, missing } = readersOf(outputs);
  const done = new Set<Expression>();
  const finish = (node: Expression): void => {
    const ready = [node];
    for (const next of ready) {
      done.add(next);
      for (const user of users.get(next) ?? []) {
        const left = (missing.get(user) ?? 0) - 1;
        missing.set(user, left);
        if (left === 0) ready.push(user);
      }
    }
  };
  const visit = (node: Expression): void => {
    if (done.has(node)) return;
    for (const operand of operands(node)) visit(operand);
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
  const done = new Map(others);
  for (const node of inOrder(outputs)) {
    if (done.has(node)) continue;
    const isSame = operands(node).every((operand) => done.get(operand) === operand);
    const read = isSame ? [] : namedOperands(node).map(([name, operand]) => [name, done.get(operand)] as const);
    done.set(node, isSame ? node : { ...node, ...Object.fromEntries(read) });
  }
  return outputs.map((output) => done.get(output) ?? output);
}

/** Who reads each node, once for each time, and how many reads of each node are still to come. */
function readersOf(outputs: readonly Expression[]): {
  readonly users: ReadonlyMap<Expression, readonly Expression[]>;
  readonly missing: Map<Expression, number>;
} {
  const users = new Map<Expression, Expression[]>();
  const missing = new Map<Expression, number>();
  const meet = (node: Expression): void => {
    if (missing.has(node)) return;
    const read = operands(node);
    missing.set(node, read.length);
    for (const operand of read) {
      const known = users.get(operand);
      if (known) known.push(node);
      else users.set(operand, [node]);
      meet(operand);
    }
  };
  outputs.forEach(meet);
  return { users, missing };
}

/** The tensors that the nodes read, each once. */
export function tensorsOf(nodes: readonly Expression[]): DeviceTensor[] {
  return [...new Set(nodes.flatMap((node) => (node.op === "input" ? [node.tensor] : [])))];
}
