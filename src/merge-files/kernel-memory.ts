import { type DeviceTensor, storedDtype } from "../device/device-tensor.ts";
import type { Expression, Node } from "../device/expression.ts";
import { numberInCode } from "./kernel-shortcuts.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";

/** Elements of each tensor that are merged at once: those of all parents stay in a core's cache. */
export const PIECE = 2 ** 16;

/** Bytes that a loop may touch behind the end of what it is told of. */
const BEHIND = 64;

/** Where a kernel finds what it computes with. */
export interface KernelMemory {
  /** The addresses of a piece of each input, in the order of the leaves. */
  readonly inputs: readonly number[];
  readonly output: number;
  readonly bytes: number;
  /** What must be there before it runs, by address. */
  readonly values: ReadonlyMap<number, Float32Array>;
  /** The addresses of what is the same at all elements: factors of `scale`, and constants of one number, unless these are in the code. */
  readonly numbers: ReadonlyMap<Expression, number>;
  /** How many elements a line has, where something differs among columns or among rows. */
  readonly line: number | undefined;
  readonly inputOf: (tensor: DeviceTensor) => number;
  readonly numberOf: (x: Expression) => number;
  /** Whether a constant of several numbers has one for each row, rather than for each column. */
  readonly isOfRows: (x: Node<"constant">) => boolean;
  /** Where numbers of columns, or of rows, are. */
  readonly numbersOf: (row: Node<"constant">) => number;
  /** All operations with what they take, and where: equal ones are computed by one function. */
  readonly outline: string;
  /** Whether a node is used more than once. */
  readonly isShared: (x: Expression) => boolean;
}

export function planMemory(expression: Expression, leaves: readonly DeviceTensor[]): KernelMemory {
  let bytes = 0;
  const reserve = (size: number): number => {
    const address = bytes;
    bytes += Math.ceil((size + BEHIND) / 16) * 16;
    return address;
  };
  const pieceOf = (tensor: Parameters<typeof storedDtype>[0]): number =>
    reserve(PIECE * bytesPerElement[storedDtype(tensor)]);
  const inputs = new Map(leaves.map((leaf) => [leaf, pieceOf(leaf)]));
  const output = pieceOf(expression);
  const uses = usesOf(expression);
  const values = new Map<number, Float32Array>();
  const place = (numbers: Float32Array): number => {
    const address = reserve(numbers.byteLength);
    values.set(address, numbers);
    return address;
  };
  const constants = [...uses.keys()].filter((x) => x.op === "constant");
  const lines = new Map(constants.filter((x) => x.values.length > 1).map((x) => [x, place(x.values)]));
  const numbers = new Map<Expression, number>();
  for (const x of uses.keys()) {
    if (numberInCode(x) !== undefined) continue;
    if (x.op === "scale") numbers.set(x, place(Float32Array.of(x.factor)));
    if (x.op === "constant" && x.values.length === 1) numbers.set(x, place(x.values));
  }
  const width = expression.shape.at(-1) ?? 1;
  const isOfRows = ({ shape, values: own }: Node<"constant">): boolean =>
    shape.at(-1) === 1 && own.length * width === elementCount(expression.shape);
  const widths = Array.from(lines.keys(), (x) => (isOfRows(x) ? width : x.values.length));
  const [line, ...others] = new Set(widths);
  if (others.length > 0) throw new Error(`merge: lines of ${line} and of ${others[0]} elements in one expression`);
  const inputOf = (tensor: DeviceTensor): number => known(inputs.get(tensor));
  const placeOf = (x: Expression): string => {
    const inCode = numberInCode(x);
    if (inCode !== undefined) return `by ${inCode}`;
    if (x.op === "input") return `at ${inputOf(x.tensor)}`;
    if (numbers.has(x)) return `by the number at ${numbers.get(x)}`;
    return x.op === "constant" ? `by the ${isOfRows(x) ? "rows" : "columns"} at ${lines.get(x)}` : "";
  };
  return {
    inputs: [...inputs.values()],
    output,
    bytes,
    values,
    numbers,
    line,
    inputOf,
    numberOf: (x) => known(numbers.get(x)),
    isOfRows,
    numbersOf: (x) => known(lines.get(x)),
    outline: outlineOf(expression, output, placeOf),
    isShared: (x) => known(uses.get(x)) > 1,
  };
}

/** How often each node is an operand, those that others are made of behind these. */
function usesOf(expression: Expression): ReadonlyMap<Expression, number> {
  const uses = new Map<Expression, number>();
  const visit = (x: Expression): void => {
    const before = uses.get(x) ?? 0;
    uses.set(x, before + 1);
    if (before > 0) return;
    if ("x" in x) visit(x.x);
    if ("y" in x) visit(x.y);
  };
  visit(expression);
  return uses;
}

/** Each node in a line, by the lines of its operands. */
function outlineOf(expression: Expression, output: number, placeOf: (x: Expression) => string): string {
  const places = new Map<Expression, number>();
  const lines = [`to ${output}`];
  const visit = (x: Expression): number => {
    const before = places.get(x);
    if (before !== undefined) return before;
    const operands = [...("x" in x ? [visit(x.x)] : []), ...("y" in x ? [visit(x.y)] : [])];
    lines.push(`${x.op} ${x.dtype} of ${operands.join()} ${placeOf(x)}`);
    places.set(x, lines.length - 1);
    return lines.length - 1;
  };
  visit(expression);
  return lines.join("\n");
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("merge: an expression of what is no parent");
  return value;
}
