import { expect, test } from "vitest";
import { add, dot, input, matmul, scale, sub, type Expression } from "../../src/device/expression.ts";
import { inOrder, rewrite } from "../../src/device/graph.ts";

const tensor = (): Expression => input({ dtype: "f32", shape: [4, 4] });

test("what is made of inputs alone is computed when it is first read", () => {
  const [base, expert, x] = [tensor(), tensor(), tensor()];
  const weights = [0.1, 0.2, 0.3].map((factor) => scale(sub(expert, base), factor));
  const products = weights.reduce((state, weight) => matmul(state, weight), x);
  const order = inOrder([products]);
  for (const weight of weights) {
    const reader = order.findIndex((node) => node.op === "matmul" && node.y === weight);
    expect(order[reader - 1]).toBe(weight);
  }
});

test("what a result leads to is computed before the next one, with what else that reads", () => {
  const [x, seed] = [tensor(), tensor()];
  const state = matmul(x, tensor());
  const derivatives = [0, 1, 2].map(() => matmul(state, seed));
  const slopes = derivatives.map((derivative) => dot(derivative, sub(tensor(), tensor())));
  const order = inOrder([...derivatives, slopes.reduce((sum, slope) => add(sum, slope))]);
  for (const [i, derivative] of derivatives.entries()) {
    const [made, read] = [order.indexOf(derivative), order.indexOf(slopes[i]!)];
    // Between them are both inputs and their difference.
    expect(read - made).toBe(4);
  }
  expect(new Set(order).size).toBe(order.length);
});

test("a graph is rewritten from what it reads on, and stays itself where nothing changes", () => {
  const [x, y, other] = [tensor(), tensor(), tensor()];
  const sum = add(scale(x, 2), scale(y, 3));
  expect(rewrite([sum], (_, same) => same())[0]).toBe(sum);
  const [changed] = rewrite([sum], (node, same) => (node === y ? other : same()));
  expect(changed).toEqual(add(scale(x, 2), scale(other, 3)));
  expect(changed).toMatchObject({ x: sum.op === "add" && sum.x });
});
