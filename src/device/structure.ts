/** What computations have in common that differ in the tensors that they read and in numbers alone, as those of candidates and layers do. */
import type { DeviceTensor } from "./device-tensor.ts";
import type { Expression, Node, Operation } from "./expression.ts";
import { type OperandName, operandNames, operations } from "./graph.ts";

/** A computation without its tensors and numbers, and these in the order in which it meets them. */
export interface Structure {
  /** Two computations with the same numbers here are equal but for what follows. */
  readonly code: Float64Array;
  /** Each once, wherever it is read. */
  readonly tensors: readonly DeviceTensor[];
  readonly constants: readonly Node<"constant">[];
  readonly scales: readonly Node<"scale">[];
}

/** What else than operands, type and shape decides what a node is; a constant's values and a scale's factor do not. */
type AttributeName<Op extends Operation> = Exclude<
  keyof Node<Op>,
  "op" | "dtype" | "shape" | "tensor" | "values" | OperandName<Op> | (Op extends "scale" ? "factor" : never)
>;

const attributes: { readonly [Op in Operation]: Readonly<Record<AttributeName<Op>, true>> } = {
  input: {},
  constant: {},
  cast: {},
  reshape: {},
  permute: { order: true },
  add: {},
  sub: {},
  mul: {},
  div: {},
  scale: {},
  sumTo: {},
  silu: {},
  gelu: { form: true },
  relu: {},
  tanh: {},
  abs: {},
  step: {},
  matmul: { transposeX: true, transposeY: true, precision: true },
  gatherRows: {},
  scatterRows: {},
  sliceRows: { from: true },
  concat: { axis: true },
  normalize: { epsilon: true },
  rope: { factor: true },
  softmax: { factor: true },
  logProbability: {},
  argmax: {},
  siluBack: {},
  geluBack: { form: true },
  reluBack: {},
  normalizeBack: { epsilon: true },
  softmaxBack: { factor: true },
  logProbabilityBack: {},
  padRows: { from: true },
  dot: {},
};

const attributeNames: ReadonlyMap<Operation, readonly string[]> = new Map(
  operations.map((op) => [op, Object.keys(attributes[op])]),
);
const codes: ReadonlyMap<Operation, number> = new Map(operations.map((op, i) => [op, i]));

const texts: ReadonlyMap<unknown, number> = new Map(
  ["f32", "f16", "bf16", "i32", "erf", "tanh"].map((text, i) => [text, i]),
);

/** Stands for an operand that is left out. */
const NONE = -1;

/** Room for the numbers of one structure, which grows: most are much shorter than the longest. */
let room: Float64Array = new Float64Array(2 ** 12);

export function structureOf(outputs: readonly Expression[]): Structure {
  const nodes = new Map<Expression, number>();
  const tensors = new Map<DeviceTensor, number>();
  const constants: Node<"constant">[] = [];
  const scales: Node<"scale">[] = [];
  let length = 0;
  const write = (number: number): void => {
    if (length === room.length) room = enlarged(room);
    room[length] = number;
    length += 1;
  };
  const writeShape = (shape: readonly number[]): void => {
    write(shape.length);
    for (const size of shape) write(size);
  };
  const writeAttribute = (value: unknown): void => {
    if (Array.isArray(value)) writeShape(value);
    else write(typeof value === "string" ? numberOf(value) : Number(value));
  };
  const meet = (node: Expression): void => {
    if (nodes.has(node)) return;
    const fields = node as unknown as Readonly<Record<string, unknown>>;
    const read: readonly string[] = operandNames[node.op];
    for (const name of read) if (fields[name]) meet(fields[name] as Expression);
    write(codes.get(node.op) ?? NONE);
    write(numberOf(node.dtype));
    writeShape(node.shape);
    for (const name of attributeNames.get(node.op) ?? []) writeAttribute(fields[name]);
    for (const name of read) write(nodes.get(fields[name] as Expression) ?? NONE);
    if (node.op === "input") write(placeIn(tensors, node.tensor));
    else if (node.op === "constant") constants.push(node);
    else if (node.op === "scale") scales.push(node);
    nodes.set(node, nodes.size);
  };
  outputs.forEach(meet);
  // How many come last, so that no other computation is written down as the same numbers.
  for (const output of outputs) write(nodes.get(output) ?? NONE);
  write(outputs.length);
  return { code: room.slice(0, length), tensors: [...tensors.keys()], constants, scales };
}

/** Whether two computations are equal but for their tensors, their constants' values and their scales' factors. */
export function isSameStructure({ code: a }: Pick<Structure, "code">, { code: b }: Pick<Structure, "code">): boolean {
  return a.length === b.length && a.every((number, i) => Object.is(number, b[i]));
}

function placeIn(tensors: Map<DeviceTensor, number>, tensor: DeviceTensor): number {
  const place = tensors.get(tensor) ?? tensors.size;
  tensors.set(tensor, place);
  return place;
}

function numberOf(text: string): number {
  const number = texts.get(text);
  if (number === undefined)
    throw new Error(`a computation's structure: expected one of ${[...texts.keys()].join(", ")}, found ${text}`);
  return number;
}

function enlarged(full: Float64Array): Float64Array {
  const larger = new Float64Array(2 * full.length);
  larger.set(full);
  return larger;
}
