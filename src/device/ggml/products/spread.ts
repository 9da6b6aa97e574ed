/** The products of a node as a library computes them at once: factors where they lie, and the loops that go over all of them. */
import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import { asStored, layoutOf, type Loop, type Stored } from "./layout.ts";

/** A factor in the memory of `tensor`: elements between two steps of each loop outside, of its rows, and of its columns. */
export interface SpreadOperand {
  readonly tensor: Expression;
  readonly strides: readonly number[];
}

/** Strides are 0 in loops outside over which a factor stays the same. */
export interface Spread {
  readonly outside: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly left: SpreadOperand;
  readonly right: SpreadOperand;
}

/** The loops of a factor: outside, one for each dimension; over the sum; and over what it alone has. */
interface Loops extends Pick<Stored, "tensor"> {
  readonly outside: readonly Loop[];
  readonly inner: Loop;
  readonly own: readonly Loop[];
}

/** Undefined for a single product, and where rows, columns or the sums have one element. */
export function spreadOf({ x, y, transposeX, transposeY, shape }: Node<"matmul">): Spread | undefined {
  const left = loopsOf(x, transposeX ? "first" : "last", Infinity);
  const right = loopsOf(y, transposeY ? "last" : "first", 1);
  if (!left || !right || elementCount(shape.slice(0, -2)) === 1) return undefined;
  // Rows in several loops are several products with the same right factor.
  const [rows, ...further] = left.own.toReversed() as [Loop, ...Loop[]];
  const [columns] = right.own as [Loop];
  const same = further.map(() => 0);
  return {
    outside: [...left.outside, ...further.toReversed()].map(({ size }) => size),
    rows: rows.size,
    columns: columns.size,
    inner: left.inner.size,
    left: { tensor: left.tensor, strides: stridesOf(...left.outside, ...further.toReversed(), rows, left.inner) },
    right: {
      tensor: right.tensor,
      strides: [...stridesOf(...right.outside), ...same, ...stridesOf(right.inner, columns)],
    },
  };
}

function stridesOf(...loops: readonly Loop[]): number[] {
  return loops.map(({ stride }) => stride);
}

/** Where a factor lies, or, if its loops do not suit there, as it will lie once it is copied. */
function loopsOf(factor: Expression, summed: "first" | "last", most: number): Loops | undefined {
  for (const { tensor, dimensions } of [layoutOf(factor), asStored(factor)]) {
    const outside = dimensions.slice(0, -2).map((loops) => (loops.length > 0 ? loops : [{ size: 1, stride: 1 }]));
    const [first = [], last = []] = dimensions.slice(-2);
    const [[inner, ...rest], own] = summed === "first" ? [first, last] : [last, first];
    const fits = outside.every(({ length }) => length === 1) && rest.length === 0 && own.length <= most;
    // Libraries want a stride of 1 in each matrix.
    const isMatrix = inner && own.length > 0 && [inner, own.at(-1)].some((loop) => loop?.stride === 1);
    if (fits && isMatrix) return { tensor, outside: outside.flat(), inner, own };
  }
  return undefined;
}
