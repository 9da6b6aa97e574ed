import { describe, expect, test } from "vitest";
import {
  add,
  cast,
  input,
  matmul,
  mul,
  rope,
  scale,
  silu,
  step,
  type Expression,
} from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { inOrder, operands } from "../../src/device/graph.ts";
import type { DeviceDtype } from "../../src/device/device.ts";
import type { Shape } from "../../src/tensor/dtype.ts";

/** Graphs are plain data: no device is needed to build one. */
function tensor(shape: Shape, dtype: DeviceDtype = "f32"): Expression {
  return input({ dtype, shape });
}

describe("gradients", () => {
  test("leave out what no output depends on, and compute nothing for it", () => {
    const [x, other, seed] = [tensor([2, 3]), tensor([2, 3]), tensor([2, 3])];
    const [byX, byOther] = gradients([{ output: mul(x, tensor([2, 3])), seed }], [x, other]);
    expect(byOther).toBeUndefined();
    // One product: the other factor is not wanted.
    expect(inOrder([byX!]).filter(({ op }) => op === "mul")).toHaveLength(1);
  });

  test("do not go through what jumps", () => {
    const [x, seed] = [tensor([2, 3]), tensor([2, 3])];
    const [byX] = gradients([{ output: mul(x, step(x)), seed }], [x]);
    expect(byX).toEqual(mul(seed, step(x)));
  });

  test("are the seed itself for an output that is wanted, and f32 for a weight that is not", () => {
    const [weight, seed] = [tensor([4], "bf16"), tensor([4])];
    const wide = cast(weight, "f32");
    expect(gradients([{ output: wide, seed }], [wide, weight])).toEqual([seed, seed]);
  });

  test("refuse a seed of another shape, in one sentence", () => {
    const x = tensor([2, 3]);
    expect(() => gradients([{ output: silu(x), seed: tensor([3, 2]) }], [x])).toThrow(
      "gradients: expected a seed f32 [2, 3], found f32 [3, 2]",
    );
  });

  test("refuse to go to what a model takes for constant", () => {
    const [x, periods] = [tensor([2, 1, 4]), tensor([2])];
    const turned = rope(x, tensor([2], "i32"), periods);
    expect(() => gradients([{ output: turned, seed: tensor([2, 1, 4]) }], [periods])).toThrow(/rope .* periods/);
  });

  test("refuse derivatives of derivatives that engines compute at once", () => {
    const [x, seed] = [tensor([2, 3]), tensor([2, 3])];
    const [first] = gradients([{ output: silu(x), seed }], [x]);
    expect(() => gradients([{ output: first!, seed }], [x])).toThrow(/siluBack has no derivative/);
  });

  test("of many batches are finished batch by batch, forwards and backwards", () => {
    const weight = tensor([3, 3]);
    const merged = add(weight, scale(weight, 0.5));
    const batches = [0, 1, 2].map(() => ({ x: tensor([2, 3]), seed: tensor([2, 3]) }));
    const outputs = batches.map(({ x, seed }) => ({ output: matmul(silu(matmul(x, merged)), merged), seed }));
    const states = batches.map(({ x }) => x);
    const found = gradients(outputs, [merged, ...states]).map((derivative) => derivative!);
    // In any order of the outputs that are asked for.
    for (const asked of [found, found.toReversed()]) {
      const order = inOrder(asked);
      const origins = originsOf(order, states);
      const turns = order.flatMap((node) => (origins.get(node)!.size === 1 ? [...origins.get(node)!] : []));
      const changes = turns.filter((state, i) => state !== turns[i - 1]);
      expect(changes).toHaveLength(batches.length);
    }
  });
});

/** Of each node, those of the sources that it is computed from. */
function originsOf(
  order: readonly Expression[],
  sources: readonly Expression[],
): ReadonlyMap<Expression, ReadonlySet<Expression>> {
  const origins = new Map<Expression, ReadonlySet<Expression>>();
  for (const node of order) {
    const own = sources.includes(node) ? [node] : [];
    origins.set(node, new Set([...own, ...operands(node).flatMap((operand) => [...origins.get(operand)!])]));
  }
  return origins;
}
