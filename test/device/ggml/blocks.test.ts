import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../../src/device/device.ts";
import {
  abs,
  add,
  cast,
  constant,
  div,
  input,
  matmul,
  mul,
  scale,
  step,
  sub,
  sumTo,
  type Expression,
} from "../../../src/device/expression.ts";
import { chainsOf } from "../../../src/device/ggml/chains.ts";
import { openGgml } from "../../../src/device/ggml/engine.ts";
import { inOrder } from "../../../src/device/graph.ts";
import { fromFloat32 } from "../../../src/tensor/half.ts";
import { RandomStream } from "../../../src/tensor/random.ts";

const large = (): Expression => input({ dtype: "bf16", shape: [512, 512] });

function chainsBy(...outputs: Expression[]): ReturnType<typeof chainsOf> {
  return chainsOf(inOrder(outputs), outputs);
}

describe("which nodes are a chain", () => {
  test("a merge is one, down to what it reads", () => {
    const [base, expert] = [cast(large(), "f32"), cast(large(), "f32")];
    const difference = sub(expert, base);
    const scaled = scale(difference, 0.3);
    const merged = add(base, scaled);
    const rounded = cast(merged, "bf16");
    const chains = chainsBy(matmul(input({ dtype: "f32", shape: [4, 512] }), rounded));
    expect([...chains.keys()]).toEqual([rounded]);
    expect(new Set(chains.get(rounded)?.nodes)).toEqual(new Set([base, expert, difference, scaled, merged, rounded]));
    expect(chains.get(rounded)?.nodes.at(-1)).toBe(rounded);
    expect(chains.get(rounded)?.sources).toHaveLength(2);
  });

  test("what something else reads, too, ends a chain of its own", () => {
    const difference = sub(abs(cast(large(), "f32")), cast(large(), "f32"));
    const scaled = step(abs(scale(difference, 2)));
    const product = matmul(input({ dtype: "f32", shape: [4, 512] }), difference);
    expect(new Set(chainsBy(scaled, product).keys())).toEqual(new Set([difference, scaled]));
  });

  test("what is asked for, or read by two chains that others read, is not computed in either", () => {
    const shared = abs(scale(abs(cast(large(), "f32")), 2));
    const [one, other] = [abs(scale(step(shared), 3)), abs(scale(step(shared), 4))];
    const x = input({ dtype: "f32", shape: [4, 512] });
    expect(new Set(chainsBy(matmul(x, one), matmul(x, other)).keys())).toEqual(new Set([shared, one, other]));
    expect(new Set(chainsBy(shared, one).keys())).toEqual(new Set([shared, one]));
  });

  test("all that is asked for and made of the same is one", () => {
    const base = cast(large(), "f32");
    const difference = sub(cast(large(), "f32"), base);
    const merges = [2, 3, 4].map((factor) => cast(add(base, scale(difference, factor)), "bf16"));
    const alone = abs(scale(abs(cast(large(), "f32")), 2));
    const chains = chainsBy(...merges, alone);
    const [chain, ...others] = merges.map((merge) => chains.get(merge));
    expect(others.every((other) => other === chain)).toBe(true);
    expect(chain?.ends.map((end) => merges.indexOf(end))).toEqual([0, 1, 2]);
    expect(chains.get(alone)?.ends.every((end) => end === alone)).toBe(true);
    expect(chain?.nodes).toHaveLength(3 + 3 * merges.length);
    expect(chain?.sources.map(({ op }) => op)).toEqual(["input", "input"]);
  });

  test("what needs the whole of another's end is computed behind it", () => {
    const shared = abs(cast(large(), "f32"));
    const one = scale(step(shared), 3);
    const other = mul(scale(abs(shared), 4), sumTo(one, [1, 512]));
    const chains = chainsBy(one, other);
    expect(chains.get(one)?.ends ?? [one]).toEqual([one]);
    expect(chains.get(other)?.ends).toEqual([other]);
  });

  test("what is made of another's end by way of a third is computed behind both", () => {
    const source = large();
    const first = abs(scale(cast(source, "f32"), 3));
    const second = scale(first, 2);
    const third = sub(add(second, cast(source, "f32")), second);
    const chains = chainsBy(first, second, third);
    expect(chains.get(first)?.ends).toEqual([first]);
    expect(chains.get(third)?.ends).toEqual([third]);
  });

  test("small tensors and short chains are none", () => {
    const small = input({ dtype: "f32", shape: [256, 256] });
    expect(chainsBy(abs(scale(abs(small), 2))).size).toBe(0);
    expect(chainsBy(scale(cast(large(), "f32"), 2)).size).toBe(0);
  });
});

describe("on a CPU", () => {
  const [rows, columns] = [700, 300];
  let device: Device;
  beforeAll(async () => {
    device = await openGgml({ backend: "cpu", products: "ggml" });
  });
  afterAll(() => device[Symbol.asyncDispose]());

  /** Of so many rows from the first on, of which `parts` are computed apart, each too small for blocks. */
  async function computed(
    formula: (parents: readonly Expression[], from: number, to: number) => Expression,
    { parts, dtype }: { readonly parts: number; readonly dtype: "f32" | "f16" | "bf16" },
  ): Promise<Buffer> {
    const made: Uint8Array[] = [];
    const values = [1, 2, 3].map((seed) => {
      const stream = RandomStream.of(seed, "weight");
      return Float32Array.from({ length: rows * columns }, () => stream.normal());
    });
    for (let part = 0; part < parts; part++) {
      const [from, to] = [(part * rows) / parts, ((part + 1) * rows) / parts];
      const tensors: DeviceTensor[] = [];
      for (const own of values) {
        const bytes = fromFloat32(own.subarray(from * columns, to * columns), dtype);
        tensors.push(await device.upload(bytes, dtype, [to - from, columns]));
      }
      const [result] = await device.run([formula(tensors.map(input), from, to)]);
      made.push(await device.read(result!));
      device.free(result!, ...tensors);
    }
    return Buffer.concat(made);
  }

  const byRow = Float32Array.from({ length: rows }, (_, i) => 1 + i / 7);
  const byColumn = Float32Array.from({ length: columns }, (_, i) => 1 - i / 11);

  test.each(["f32", "f16", "bf16"] as const)("a chain in blocks has the bits of its rows apart, %s", async (dtype) => {
    const merge = (parents: readonly Expression[], from: number, to: number): Expression => {
      const [base, one, other] = parents.map((parent) => cast(parent, "f32"));
      const rowFactors = constant(byRow.slice(from, to), [to - from, 1]);
      const difference = mul(sub(one!, base!), constant(byColumn, [1, columns]));
      const second = div(mul(sub(other!, base!), step(abs(difference))), rowFactors);
      return cast(add(base!, add(scale(difference, 0.3), second)), dtype);
    };
    const whole = await computed(merge, { parts: 1, dtype });
    expect(whole.equals(await computed(merge, { parts: 10, dtype }))).toBe(true);
    expect(new Set(whole).size).toBeGreaterThan(100);
  });

  test.each(["f32", "f16", "bf16"] as const)("merges in common have the bits of each alone, %s", async (dtype) => {
    const merges = (parents: readonly Expression[], factors: readonly number[]): Expression[] => {
      const [base, one, other] = parents.map((parent) => cast(parent, "f32"));
      const differences = [sub(one!, base!), sub(other!, base!)];
      return factors.map((factor) => {
        const [first, second] = differences.map((difference, i) => scale(difference, factor + i));
        return cast(add(base!, add(mul(first!, step(abs(second!))), second!)), dtype);
      });
    };
    const tensors = await Promise.all(
      [1, 2, 3].map((seed) => {
        const stream = RandomStream.of(seed, "weight");
        const values = Float32Array.from({ length: rows * columns }, () => stream.normal());
        return device.upload(fromFloat32(values, dtype), dtype, [rows, columns]);
      }),
    );
    // The graph of the first is kept for the second, which has other factors.
    for (const factors of [
      [0.3, 0.5, -0.7],
      [0.1, -0, 0.9],
    ]) {
      const together = await device.run(merges(tensors.map(input), factors));
      for (const [i, factor] of factors.entries()) {
        const [alone] = await device.run(merges(tensors.map(input), [factor]));
        const [found, expected] = await Promise.all([device.read(together[i]!), device.read(alone!)]);
        expect(Buffer.compare(found, expected)).toBe(0);
        device.free(alone!);
      }
      device.free(...together);
    }
    device.free(...tensors);
  });

  test("merges in common of which one is read in the other, rounded", async () => {
    const shape = [512, 512];
    const noise = RandomStream.of(1, "noise");
    const tensor = await device.upload(
      fromFloat32(
        Float32Array.from({ length: 512 * 512 }, () => noise.normal()),
        "bf16",
      ),
      "bf16",
      shape,
    );
    const outputs = (): [Expression, Expression] => {
      const wide = cast(input(tensor), "f32");
      const rounded = cast(scale(wide, 0.3), "bf16");
      return [rounded, add(cast(rounded, "f32"), scale(wide, 2))];
    };
    const together = await device.run(outputs());
    for (const [i, result] of together.entries()) {
      const [alone] = await device.run([outputs()[i]!]);
      expect(Buffer.compare(await device.read(result), await device.read(alone!))).toBe(0);
      device.free(alone!);
    }
    device.free(...together, tensor);
  });

  test("outputs of which each is made of the one before and of what all are made of", async () => {
    const tensor = await device.upload(
      new Uint8Array(Float32Array.from({ length: 512 * 512 }, (_, i) => i).buffer),
      "f32",
      [512, 512],
    );
    const source = input(tensor);
    const first = scale(abs(scale(source, 3)), 0.5);
    const second = scale(first, 2);
    const third = sub(add(second, source), scale(second, 0.5));
    const results = await device.run([first, second, third]);
    const read = await Promise.all(results.map((result) => device.read(result)));
    const last = read.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getFloat32(4 * 1000, true));
    expect(last).toEqual([1500, 3000, 2500]);
    device.free(...results, tensor);
  });

  test("a chain whose end is read by a product and asked for twice", async () => {
    const shape = [512, 512];
    const noise = RandomStream.of(1, "noise");
    const bytes = new Uint8Array(Float32Array.from({ length: 512 * 512 }, () => noise.normal()).buffer);
    const tensor = await device.upload(bytes, "f32", shape);
    const merged = add(scale(abs(input(tensor)), 0.5), input(tensor));
    const product = matmul(merged, merged);
    const together = await device.run([merged, merged, product]);
    const [one, again, read] = await Promise.all(together.map((result) => device.read(result)));
    const [small] = await device.run([matmul(input(together[0]!), input(together[0]!))]);
    expect(Buffer.compare(one!, again!)).toBe(0);
    expect(Buffer.compare(read!, await device.read(small!))).toBe(0);
    device.free(...together, small!, tensor);
  });

  test("merged weights leave work space to those behind them once they were multiplied", async () => {
    await using own = await openGgml({ backend: "cpu", products: "ggml" });
    const [count, width] = [6, 512];
    const tensors: DeviceTensor[] = [];
    for (let i = 0; i < 3 * count; i++) {
      const bytes = new Uint8Array(2 * width * width).fill(i);
      tensors.push(await own.upload(bytes, "bf16", [width, width]));
    }
    const wide = tensors.map((tensor) => cast(input(tensor), "f32"));
    const x = input(await own.upload(new Uint8Array(4 * 4 * width), "f32", [4, width]));
    const merged = Array.from({ length: count }, (_, i) => {
      const [base, one, other] = wide.slice(3 * i, 3 * i + 3) as [Expression, Expression, Expression];
      return cast(add(base, add(scale(sub(one, base), 0.3), scale(sub(other, base), 0.6))), "bf16");
    });
    const product = merged.reduce((state, weight) => matmul(state, weight, { transposeY: true }), x);
    own.free(...(await own.run([product])));
    // Of one weight what is merged, and of one block what it is merged of in f32.
    expect(own.memory.workBytes).toBeLessThan(2.2 * 2 * width * width + 5 * 4 * 2 ** 16);
  });
});
