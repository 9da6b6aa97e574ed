import { expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import {
  add,
  argmax,
  constant,
  type Expression,
  input,
  logProbability,
  mul,
  normalize,
  reshape,
  rope,
  scale,
  silu,
  sub,
  tanh,
} from "../../src/device/expression.ts";
import { f32Bytes, f32Values, generator, noise } from "./sample-values.ts";

/** Registers what holds of graphs that are computed one after the other. */
export function testGraphs(device: () => Device): void {
  const drawn = async (seed: number): Promise<Expression> =>
    input(await device().upload(f32Bytes(noise(generator(seed), 6 * 32)), "f32", [6, 32]));

  test("graphs that differ in nothing but what reads what are computed one after the other", async () => {
    const x = input(await device().upload(f32Bytes([1, 2, 3]), "f32", [3]));
    const y = input(await device().upload(f32Bytes([5, 7, 11]), "f32", [3]));
    const [sum, product] = [add(x, y), mul(x, y)];
    const [more, scaled] = [add(sum, x), mul(product, x)];
    const both = add(more, scaled);
    // Of as many nodes, which read as many that are computed; the latter reads the first sum for longer.
    const graphs = [mul(both, both), mul(add(more, sum), scaled)];
    const found: number[][] = [];
    for (const graph of [...graphs, ...graphs]) {
      const [result] = await device().run([graph]);
      found.push([...f32Values(await device().read(result!))]);
    }
    const expected = [
      [144, 1521, 13_456],
      [65, 560, 3069],
    ];
    expect(found).toEqual([...expected, ...expected]);
  });
  test("what is asked for is there, though something reads it that a backend may compute in the same pass", async () => {
    const [x, y, z] = await Promise.all([31, 32, 33].map(drawn));
    const pairs = [
      [add(x!, y!), (sum: Expression) => add(sum, z!)],
      [mul(x!, y!), (product: Expression) => mul(product, z!)],
      [normalize(x!, 1e-6), (norm: Expression) => mul(norm, y!)],
      [silu(x!), (gate: Expression) => mul(gate, y!)],
      [scale(x!, 0.5), (scaled: Expression) => scale(tanh(scaled), 2)],
    ] as const;
    for (const [first, readBy] of pairs) {
      const results = await device().run([first, readBy(first)]);
      const [alone] = await device().run([first]);
      expect(await device().read(results[0]!)).toEqual(await device().read(alone!));
      device().free(...results, alone!);
    }
  });

  test("logits that are no numbers have no log-probability, and spoil no other row's", async () => {
    const logits = [NaN, NaN, NaN, 0, 0, 0, NaN, 1, NaN];
    const x = input(await device().upload(f32Bytes(logits), "f32", [3, 3]));
    const targets = input(await device().upload(new Uint8Array(3 * 4), "i32", [3]));
    const [found, tops] = await device().run([logProbability(x, targets), argmax(x)]);
    expect([...f32Values(await device().read(found!))]).toEqual([NaN, expect.closeTo(-Math.log(3), 5), NaN]);
    expect((await device().read(tops!)).byteLength).toBe(3 * 4);
    device().free(found!, tops!);
  });

  test("nothing is computed where nothing is asked for", async () => {
    expect(await device().run([])).toEqual([]);
  });

  test("computations of one structure have each their own tensors, constants and factors", async () => {
    const memory = device().memory.bytes;
    const sizes = [
      [4, 3],
      // Large enough for chains in blocks.
      [600, 512],
      [4, 3],
    ] as const;
    for (const [k, shape] of [...sizes, ...sizes, ...sizes].entries()) {
      const [first, second] = [k + 1, k / 2];
      const factor = 2 - k / 4;
      const upload = (value: number): Promise<DeviceTensor> =>
        device().upload(f32Bytes(Array.from({ length: shape[0] * shape[1] }, (_, i) => value + (i % 7))), "f32", shape);
      const tensors = await Promise.all([upload(first), upload(second)]);
      const [x, y] = tensors.map(input) as [Expression, Expression];
      const row = constant(
        Float32Array.from({ length: shape[1] }, (_, i) => k - i),
        [1, shape[1]],
      );
      const merged = add(scale(sub(mul(x, row), y), factor), scale(y, k));
      const results = await device().run([merged, mul(merged, x), merged]);
      const [found, product, again] = await Promise.all(
        results.map(async (each) => f32Values(await device().read(each))),
      );
      device().free(...tensors, ...results);
      const expected = Array.from(found!, (_, i) => {
        const [a, b] = [first + (i % 7), second + (i % 7)];
        return (a * (k - (i % shape[1])) - b) * factor + b * k;
      });
      expect([...found!]).toEqual(expected.map(Math.fround));
      expect([...again!]).toEqual([...found!]);
      expect([...product!]).toEqual(expected.map((value, i) => Math.fround(value * (first + (i % 7)))));
    }
    expect(device().memory.bytes).toBe(memory);
  });

  test("what is made of a tensor and of numbers that come with a computation does not stay with the tensor", async () => {
    const positions = await device().upload(new Uint8Array(Int32Array.of(1, 2).buffer), "i32", [2]);
    const x = await device().upload(f32Bytes([1, 2, 3, 4]), "f32", [2, 1, 2]);
    const turn = async (): Promise<number> => {
      const [turned] = await device().run([rope(input(x), input(positions), constant(Float32Array.of(1), [1]))]);
      device().free(turned!);
      return device().memory.bytes;
    };
    const bytes = await turn();
    expect(await turn()).toBe(bytes);
    device().free(positions, x);
  });

  test.each(["siluBack", "reluBack"] as const)("%s takes a reshaped operand as any other", async (op) => {
    const upload = async (shape: readonly number[]): Promise<Expression> =>
      input(await device().upload(f32Bytes([-2, -1, 1, 2]), "f32", shape));
    const [row, flat] = [await upload([1, 4]), await upload([4])];
    const ofOperand = (x: Expression): Expression => ({ op, g: row, x, dtype: "f32", shape: [1, 4] });
    const results = await device().run([ofOperand(row), ofOperand(reshape(flat, [1, 4]))]);
    const [expected, found] = await Promise.all(results.map((result) => device().read(result)));
    expect(found).toEqual(expected);
  });

  test("a tensor that is read twice is not taken for two of its shape", async () => {
    const [x, y] = await Promise.all(
      [
        [1, 2],
        [5, 7],
      ].map((values) => device().upload(f32Bytes(values), "f32", [2])),
    );
    const sums = [
      await sumOf(device(), x!, y!),
      await sumOf(device(), x!, x!),
      await sumOf(device(), y!, x!),
      await sumOf(device(), y!, y!),
    ];
    expect(sums).toEqual([
      [6, 9],
      [2, 4],
      [6, 9],
      [10, 14],
    ]);
  });
}

async function sumOf(device: Device, x: DeviceTensor, y: DeviceTensor): Promise<number[]> {
  const [sum] = await device.run([add(input(x), input(y))]);
  return [...f32Values(await device.read(sum!))];
}
