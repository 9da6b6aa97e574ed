import { expect, test } from "vitest";
import * as ops from "../../src/device/expression.ts";
import { isSameStructure, structureOf } from "../../src/device/structure.ts";

const { add, constant, input, mul, scale } = ops;
const tensor = (shape: readonly number[], dtype: "f32" | "bf16" | "i32" = "f32"): ops.Expression =>
  input({ dtype, shape });
const isSame = (a: readonly ops.Expression[], b: readonly ops.Expression[]): boolean =>
  isSameStructure(structureOf(a), structureOf(b));

test("tensors, constants' values and scales' factors are no part of a structure, which tells them in their order", () => {
  const [a, b] = [scaledSum(2), scaledSum(3)];
  expect(isSame(a, b)).toBe(true);
  const { tensors, constants, scales } = structureOf(b);
  expect(tensors).toEqual([
    { dtype: "f32", shape: [2, 3] },
    { dtype: "f32", shape: [2, 3] },
  ]);
  expect(tensors[1]).toBe((b[1] as ops.Node<"input">).tensor);
  expect(constants.map(({ values }) => values[0])).toEqual([3]);
  expect(scales.map(({ factor }) => factor)).toEqual([3]);
});

test("who reads what is, and so is what is asked for", () => {
  const [x, y] = [tensor([2, 2]), tensor([2, 2])];
  const [again] = [input((x as ops.Node<"input">).tensor)];
  expect(isSame([add(x, y)], [add(x, x)])).toBe(false);
  expect(isSame([add(x, again)], [add(x, y)])).toBe(false);
  expect(isSame([add(x, y)], [add(y, x)])).toBe(true);
  const sum = add(x, y);
  expect(isSame([sum], [sum, sum])).toBe(false);
  expect(isSame([sum, x], [sum, y])).toBe(false);
  const twice = add(sum, sum);
  expect(isSame([twice], [add(sum, add(x, y))])).toBe(false);
});

test("shapes, formats and whatever else decides how a node is computed are", () => {
  const [x, wide] = [tensor([4, 4]), tensor([4, 4, 4, 4])];
  const [heads, positions, periods] = [tensor([4, 2, 8]), tensor([4], "i32"), tensor([4])];
  const variants: readonly (readonly ops.Expression[])[] = [
    [ops.cast(x, "bf16"), ops.cast(x, "f16")],
    [ops.reshape(x, [2, 8]), ops.reshape(x, [8, 2]), ops.reshape(x, [16])],
    [ops.permute(wide, [0, 2, 1, 3]), ops.permute(wide, [0, 1, 3, 2])],
    [ops.gelu(x, "erf"), ops.gelu(x, "tanh")],
    [
      ops.matmul(x, x),
      ops.matmul(x, x, { transposeX: true }),
      ops.matmul(x, x, { transposeY: true }),
      ops.matmul(x, x, { precision: "bf16" }),
      ops.matmul(x, tensor([4, 4], "bf16")),
    ],
    [ops.sliceRows(x, 0, 2), ops.sliceRows(x, 1, 2), ops.sliceRows(x, 1, 3)],
    [ops.concat(x, x, 0), ops.concat(x, x, 1)],
    [ops.normalize(x, 1e-5), ops.normalize(x, 1e-6)],
    [ops.rope(heads, positions, periods), ops.rope(heads, positions, periods, 2)],
    [ops.softmax(x), ops.softmax(x, { factor: 2 }), ops.softmax(wide, { mask: tensor([4, 4, 4]) })],
    [ops.gatherRows(x, positions), ops.gatherRows(x, positions, tensor([4], "i32"))],
    [add(x, x), ops.sub(x, x), mul(x, x), ops.div(x, x)],
  ];
  for (const own of variants) {
    for (const [i, a] of own.entries()) {
      for (const [j, b] of own.entries()) expect(isSame([a], [b]), `${a.op} ${i} and ${j}`).toBe(i === j);
    }
  }
});

test("thousands of nodes are told apart by the last of them", () => {
  expect(isSame([longSum(ops.silu)], [longSum(ops.silu)])).toBe(true);
  expect(isSame([longSum(ops.silu)], [longSum(ops.relu)])).toBe(false);
});

function scaledSum(factor: number): ops.Expression[] {
  const [x, y] = [tensor([2, 3]), tensor([2, 3])];
  return [add(scale(mul(x, constant(Float32Array.of(factor, 1, 2), [1, 3])), factor), y), y];
}

function longSum(last: (x: ops.Expression) => ops.Expression): ops.Expression {
  let node = tensor([2]);
  for (let i = 0; i < 2000; i += 1) node = add(node, node);
  return last(node);
}
