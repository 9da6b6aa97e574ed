import { describe, expect, test } from "vitest";
import {
  add,
  cast,
  constant,
  gelu,
  input,
  matmul,
  mul,
  silu,
  type Expression,
} from "../../../../src/device/expression.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { finishedProducts } from "../../../../src/device/ggml/products/epilogues.ts";
import { linear } from "../../../../src/device/layers.ts";
import { fromFloat32 } from "../../../../src/tensor/half.ts";
import { f32Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";
import { isOfBf16, readGraph } from "./read-graph.ts";

const x = (): Expression => input({ dtype: "f32", shape: [64, 128] });
const weight = (out: number, into: number): Expression => input({ dtype: "bf16", shape: [out, into] });

function finishedBy(...outputs: Expression[]): ReturnType<typeof finishedProducts> {
  const { order, readers } = readGraph(outputs);
  return finishedProducts(order, readers, isOfBf16);
}

describe("what a product is finished with", () => {
  test("an MLP's: the gate's function, what it multiplies, and what is added, with the middle rounded", () => {
    const hidden = x();
    const [gate, up] = [linear(hidden, weight(256, 128)), linear(hidden, weight(256, 128))];
    const opened = silu(gate);
    const middle = mul(opened, up);
    const down = linear(middle, weight(128, 256));
    const result = add(hidden, down);
    const finished = finishedBy(result);
    expect(new Set(finished.keys())).toEqual(new Set([opened, middle, result]));
    expect(finished.get(opened)).toMatchObject({ product: gate, steps: [{ op: "silu" }], isRounded: false });
    expect(finished.get(middle)).toMatchObject({ product: up, inner: [up], isRounded: true });
    expect(finished.get(middle)?.steps.map(({ operand }) => operand)).toEqual([opened]);
    expect(finished.get(result)?.steps.map(({ operand }) => operand)).toEqual([hidden]);
  });

  test("a bias, which is one row for all, and a function behind it", () => {
    const bias = constant(new Float32Array(256), [1, 256]);
    const result = gelu(add(linear(x(), weight(256, 128)), bias), "tanh");
    expect(
      finishedBy(result)
        .get(result)
        ?.steps.map(({ op }) => op),
    ).toEqual(["add", "gelu tanh"]);
  });

  test("no more than the node that stands for it has operands", () => {
    const sum = Array.from({ length: 12 }).reduce<Expression>((left) => add(left, x()), linear(x(), weight(128, 128)));
    const [only, ...others] = finishedBy(sum).values();
    expect(others).toEqual([]);
    expect(only?.steps).toHaveLength(7);
  });

  test("nothing that is asked for, or read by something else, is left out, and nothing else is rounded", () => {
    const product = linear(x(), weight(256, 128));
    const opened = silu(product);
    const twice = add(opened, product);
    expect([...finishedBy(twice).keys()]).toEqual([]);
    expect([...finishedBy(opened, product).keys()]).toEqual([]);
    const down = linear(opened, weight(128, 256));
    expect(finishedBy(down, mul(opened, opened)).get(opened)?.isRounded).toBe(false);
    const exact = matmul(opened, cast(weight(128, 256), "f32"), { transposeY: true });
    expect(finishedBy(exact).get(opened)?.isRounded).toBe(false);
  });
});

describeLibraries("an MLP with products", ({ file, library }) => {
  test("may be followed by more than a node of ggml can read", async ({ skip }) => {
    if (!library.finishesBf16) skip("the library finishes no products");
    const ones = new Float32Array(64 * 128).fill(1);
    await using device = await openGgml({ backend: "cpu", products: file });
    const left = await device.upload(fromFloat32(ones, "f32"), "f32", [64, 128]);
    const right = await device.upload(fromFloat32(new Float32Array(2 ** 16).fill(1), "bf16"), "bf16", [512, 128]);
    const addends = Array.from({ length: 12 }, (_, i) => constant(new Float32Array(64 * 512).fill(i), [64, 512]));
    const sum = addends.reduce<Expression>((sum, addend) => add(sum, addend), linear(input(left), input(right)));
    const [found] = await device.run([sum]);
    expect(new Set(f32Values(await device.read(found!)))).toEqual(new Set([128 + 66]));
  });

  test("finished by the library is that of ggml alone, but for what bf16 rounds", async ({ skip }) => {
    if (!library.finishesBf16) skip("the library finishes no products");
    const random = generator(3);
    const [tokens, hidden, middle] = [70, 192, 320];
    const values = Float32Array.from(noise(random, tokens * hidden));
    const weights = [
      [middle, hidden],
      [middle, hidden],
      [hidden, middle],
    ].map(([rows = 0, columns = 0]) => ({
      bytes: fromFloat32(Float32Array.from(noise(random, rows * columns)), "bf16"),
      shape: [rows, columns],
    }));
    const compute = async (products: string): Promise<Float32Array> => {
      await using device = await openGgml({ backend: "cpu", products });
      const given = await device.upload(fromFloat32(values, "f32"), "f32", [tokens, hidden]);
      const [gate, up, down] = await Promise.all(
        weights.map(({ bytes, shape }) => device.upload(bytes, "bf16", shape)),
      );
      const opened = gelu(linear(input(given), input(gate!)), "tanh");
      const mixed = mul(opened, linear(input(given), input(up!)));
      const bias = constant(
        Float32Array.from({ length: hidden }, (_, i) => i / hidden),
        [1, hidden],
      );
      const result = add(input(given), add(linear(mixed, input(down!)), bias));
      const [found] = await device.run([result]);
      return f32Values(await device.read(found!));
    };
    const [own, ggml] = [await compute(file), await compute("ggml")];
    const errors = own.map((value, i) => Math.abs(value - ggml[i]!));
    const size = Math.max(...ggml.map(Math.abs));
    expect(own).not.toEqual(ggml);
    expect(Math.max(...errors) / size).toBeLessThan(0.004);
  });
});
