import { describe, expect, test } from "vitest";
import { add, constant, gelu, input, matmul, mul, silu, type Expression } from "../../../../src/device/expression.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { finishedProducts } from "../../../../src/device/ggml/products/epilogues.ts";
import { gatedProducts } from "../../../../src/device/ggml/products/gates.ts";
import { linear } from "../../../../src/device/layers.ts";
import { fromFloat32 } from "../../../../src/tensor/half.ts";
import { f32Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";
import { isOfBf16, readGraph } from "./read-graph.ts";

const [TOKENS, HIDDEN, MIDDLE] = [272, 64, 2048];
const f32 = (...shape: number[]): Expression => input({ dtype: "f32", shape });
const weight = (out: number, into: number): Expression => input({ dtype: "bf16", shape: [out, into] });
const row = (value: number): Expression => constant(new Float32Array(MIDDLE).fill(value), [1, MIDDLE]);

function gatedBy(...outputs: Expression[]): ReturnType<typeof gatedProducts> {
  const { order, readers } = readGraph(outputs);
  return gatedProducts(finishedProducts(order, readers, isOfBf16), readers);
}

function mlp(
  tokens = TOKENS,
  width = MIDDLE,
): Readonly<Record<"gate" | "opened" | "up" | "middle" | "down", Expression>> {
  const hidden = f32(tokens, HIDDEN);
  const gate = linear(hidden, weight(width, HIDDEN));
  const up = linear(hidden, weight(width, HIDDEN));
  const opened = silu(gate);
  const middle = mul(opened, up);
  return { gate, opened, up, middle, down: linear(middle, weight(HIDDEN, width)) };
}

describe("which products are computed with their gate", () => {
  test("an MLP's, with the gate's nodes", () => {
    const { gate, opened, up, middle, down } = mlp();
    const gated = gatedBy(down);
    expect([...gated.keys()]).toEqual([middle]);
    expect(gated.get(middle)).toMatchObject({ gate: { product: gate }, product: { product: up } });
    expect(gated.get(middle)?.inner).toEqual([gate, opened]);
  });

  test("with a bias of each, and no more operands than a node of ggml has", () => {
    const opened = gelu(add(linear(f32(TOKENS, HIDDEN), weight(MIDDLE, HIDDEN)), row(1)), "tanh");
    const up = add(linear(f32(TOKENS, HIDDEN), weight(MIDDLE, HIDDEN)), row(2));
    const middleOf = (up: Expression): Expression => mul(opened, up);
    const down = (middle: Expression): Expression => linear(middle, weight(HIDDEN, MIDDLE));
    expect(gatedBy(down(middleOf(up))).size).toBe(1);
    expect(gatedBy(down(middleOf(mul(up, row(3))))).size).toBe(0);
  });

  test("none of few elements, of results that are read as they are, or whose gate somebody else reads", () => {
    expect(gatedBy(mlp(240).down).size).toBe(0);
    expect(gatedBy(mlp(1100, 512).down).size).toBe(0);
    const { opened, middle, down } = mlp();
    expect(gatedBy(down, middle).size).toBe(0);
    expect(gatedBy(down, opened).size).toBe(0);
    expect(gatedBy(down, silu(opened)).size).toBe(0);
  });

  test("none where a step reads more than the gate and rows", () => {
    const { up, opened } = mlp();
    const other = f32(TOKENS, MIDDLE);
    const down = (middle: Expression): Expression => linear(middle, weight(HIDDEN, MIDDLE));
    expect(gatedBy(down(mul(opened, add(up, other)))).size).toBe(0);
    expect(gatedBy(down(mul(mul(mlp().gate, other), up))).size).toBe(0);
    expect(gatedBy(down(mul(other, up))).size).toBe(0);
  });

  test("none whose weights do not lie transposed", () => {
    const hidden = f32(TOKENS, HIDDEN);
    const [own, other] = [linear(hidden, weight(MIDDLE, HIDDEN)), matmul(hidden, weight(HIDDEN, MIDDLE))];
    const down = (middle: Expression): Expression => linear(middle, weight(HIDDEN, MIDDLE));
    expect(gatedBy(down(mul(silu(own), other))).size).toBe(0);
    expect(gatedBy(down(mul(silu(other), own))).size).toBe(0);
  });
});

describeLibraries("an MLP with a gate", ({ file, library }) => {
  // 700 columns are a whole block and a part of one.
  test.for([700, MIDDLE])("in blocks of its %d columns is the same as without", async (middle, { skip }) => {
    if (!library.finishesBf16 || !library.copyRows) skip("the library brings no columns to where they belong");
    const random = generator(4);
    const tokens = 800;
    const values = Float32Array.from(noise(random, tokens * HIDDEN));
    const shapes = [
      [middle, HIDDEN],
      [middle, HIDDEN],
      [HIDDEN, middle],
    ] as const;
    const biases = [1, 2].map(() => Float32Array.from(noise(random, middle)));
    await using device = await openGgml({ backend: "cpu", products: file });
    const hidden = await device.upload(fromFloat32(values, "f32"), "f32", [tokens, HIDDEN]);
    const [gate, up, down] = await Promise.all(
      shapes.map(([rows, columns]) =>
        device.upload(fromFloat32(Float32Array.from(noise(random, rows * columns)), "bf16"), "bf16", [rows, columns]),
      ),
    );
    const withBias = (by: NonNullable<typeof gate>, at: number): Expression =>
      add(linear(input(hidden), input(by)), constant(biases[at]!, [1, middle]));
    const opened = silu(withBias(gate!, 0));
    const result = linear(mul(opened, withBias(up!, 1)), input(down!));
    const read = async (...outputs: Expression[]): Promise<Float32Array> =>
      f32Values(await device.read((await device.run(outputs))[0]!));
    // Two runs, of which the second has the places of the first; a gate that is asked for is computed by itself.
    const [first, again, apart] = [await read(result), await read(result), await read(result, opened)];
    expect(again).toEqual(first);
    const size = Math.max(...apart.map(Math.abs));
    expect(Math.max(...first.map((value, i) => Math.abs(value - apart[i]!))) / size).toBeLessThan(1e-3);
  });

  test("has the bits of both as a whole, however its weights lie", async ({ skip }) => {
    if (!library.finishesBf16 || !library.copyRows) skip("the library brings no columns to where they belong");
    const [tokens, hidden, middle] = [632, 992, 1408];
    const random = generator(6);
    await using device = await openGgml({ backend: "cpu", products: file });
    const of = async (dtype: "f32" | "bf16", ...shape: readonly [number, number]): Promise<Expression> => {
      const values = Float32Array.from(noise(random, shape[0] * shape[1]));
      return input(await device.upload(fromFloat32(values, dtype), dtype, shape));
    };
    const x = await of("f32", tokens, hidden);
    const down = await of("bf16", HIDDEN, middle);
    const [lying, transposed] = [await of("bf16", hidden, middle), await of("bf16", middle, hidden)];
    const both = [matmul(x, lying), linear(x, transposed)] as const;
    for (const [gate, up] of [both, both.toReversed() as [Expression, Expression]]) {
      const opened = silu(gate);
      const result = linear(mul(opened, up), down);
      const read = async (...outputs: Expression[]): Promise<Float32Array> =>
        f32Values(await device.read((await device.run(outputs))[0]!));
      // A gate that is asked for is computed by itself.
      expect(await read(result)).toEqual(await read(result, opened));
    }
  });
});
