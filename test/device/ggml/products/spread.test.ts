import * as fc from "fast-check";
import { expect, test } from "vitest";
import { input, matmul, permute, reshape, type Expression, type Node } from "../../../../src/device/expression.ts";
import { layoutOf } from "../../../../src/device/ggml/products/layout.ts";
import { spreadOf, type Spread } from "../../../../src/device/ggml/products/spread.ts";
import { elementCount, type Shape } from "../../../../src/tensor/dtype.ts";

/** An expression that moves the elements of a tensor, which are numbered, and what it then holds. */
interface Moved {
  readonly expression: Expression;
  readonly values: readonly number[];
}

function numbered(shape: Shape): Moved {
  return {
    expression: input({ dtype: "f32", shape }),
    values: Array.from({ length: elementCount(shape) }, (_, i) => i),
  };
}

function permuted({ expression, values }: Moved, order: readonly number[]): Moved {
  const { shape } = expression;
  const moved = permute(expression, order);
  const held = indices(moved.shape).map((index) => {
    const from: number[] = [];
    for (const [axis, source] of order.entries()) from[source] = index[axis]!;
    return values[from.reduce((place, i, axis) => place * shape[axis]! + i, 0)]!;
  });
  return { expression: moved, values: held };
}

function reshaped({ expression, values }: Moved, shape: Shape): Moved {
  return { expression: reshape(expression, shape), values };
}

/** All places of a shape, in order. */
function indices(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (outer, size) => outer.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
}

test("a layout says where elements lie that permutations and reshapes have moved", () => {
  const size = fc.integer({ min: 1, max: 3 });
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 });
  const moves = fc.array(fc.tuple(order, fc.constantFrom("apart", "joined", "as it is")), { maxLength: 3 });
  fc.assert(
    fc.property(fc.tuple(size, size, size, size), moves, (shape, steps) => {
      let moved = numbered(shape);
      for (const [to, then] of steps) {
        moved = permuted(moved, to);
        const [a = 1, b = 1, c = 1, d = 1] = moved.expression.shape;
        if (then === "joined") moved = reshaped(moved, [1, a, b * c, d]);
        if (then === "apart") moved = reshaped(moved, [a * b, 1, c, d]);
      }
      const { tensor, dimensions } = layoutOf(moved.expression);
      // What is not read where it lies is a reshape that is computed.
      if (tensor.op !== "input") return expect(tensor.op).toBe("reshape");
      const loops = dimensions.flat();
      const places = indices(loops.map((loop) => loop.size)).map((index) =>
        index.reduce((place, i, axis) => place + i * loops[axis]!.stride, 0),
      );
      expect(places).toEqual(moved.values);
      expect(dimensions.map((own) => elementCount(own.map((loop) => loop.size)))).toEqual(moved.expression.shape);
    }),
  );
});

test("products of heads that share keys are read where queries and keys lie", () => {
  const [batch, length, kvHeads, group, width] = [2, 3, 2, 3, 4];
  const heads = kvHeads * group;
  const query = permuted(numbered([batch, length, heads, width]), [0, 2, 1, 3]);
  const key = permuted(numbered([batch, length, kvHeads, width]), [0, 2, 1, 3]);
  const stacked = reshaped(query, [batch, kvHeads, group * length, width]);
  const scores = matmul(stacked.expression, key.expression, { transposeY: true }) as Node<"matmul">;
  const spread = spreadOf(scores)!;
  expect([spread.left.tensor.op, spread.right.tensor.op]).toEqual(["input", "input"]);
  expect([spread.rows, spread.columns, spread.inner]).toEqual([length, length, width]);
  const rowOf = ({ values }: Moved, row: number): readonly number[] => values.slice(row * width, (row + 1) * width);
  const expected = indices(scores.shape).map(([b = 0, h = 0, row = 0, column = 0]) => {
    const own = b * kvHeads + h;
    return dot(rowOf(stacked, own * group * length + row), rowOf(key, own * length + column));
  });
  expect(multiplied(spread)).toEqual(expected);
});

test.each([
  { what: "single products", x: [2, 3], y: [3, 2] },
  { what: "sums of one element", x: [2, 2, 1], y: [2, 1, 2] },
  { what: "rows of one element", x: [2, 1, 2], y: [2, 2, 2] },
])("$what are not spread", ({ x, y }) => {
  const [left, right] = [x, y].map((shape) => numbered(shape).expression);
  expect(spreadOf(matmul(left!, right!) as Node<"matmul">)).toBeUndefined();
});

/** The products of numbered elements, by definition. */
function multiplied({ outside, rows, columns, inner, left, right }: Spread): number[] {
  return indices([...outside, rows, columns]).map((index) => {
    const [row, column] = index.splice(-2) as [number, number];
    const steps = Array.from({ length: inner }, (_, k) => k);
    return dot(
      steps.map((k) => at(left.strides, [...index, row, k])),
      steps.map((k) => at(right.strides, [...index, k, column])),
    );
  });
}

/** Elements from the first one of a factor. */
function at(strides: readonly number[], place: readonly number[]): number {
  return strides.reduce((sum, stride, axis) => sum + stride * place[axis]!, 0);
}

function dot(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
}
