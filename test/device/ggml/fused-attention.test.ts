import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../../src/device/device.ts";
import { add, input, type Expression } from "../../../src/device/expression.ts";
import { planGraph } from "../../../src/device/ggml/build-graph.ts";
import { openGgml } from "../../../src/device/ggml/engine.ts";
import { fusedAttentions } from "../../../src/device/ggml/fused-attention.ts";
import { gradients } from "../../../src/device/gradient.ts";
import { inOrder, operands } from "../../../src/device/graph.ts";
import { attention } from "../../../src/device/layers.ts";
import { elementCount, type Shape } from "../../../src/tensor/dtype.ts";
import { causalMask, f32Bytes, f32Values, generator, noise } from "../sample-values.ts";
import { readGraph } from "./products/read-graph.ts";

const f32 = (...shape: number[]): Expression => input({ dtype: "f32", shape });

const sizes = { query: [2, 7, 6, 16], key: [2, 7, 2, 16], value: [2, 7, 2, 16], mask: [2, 7, 7] } as const;

function given(make: (shape: readonly number[]) => Expression = (shape) => f32(...shape)) {
  const { query, key, value, mask } = sizes;
  return { query: make(query), key: make(key), value: make(value), mask: make(mask) };
}

const inBf16 = { factor: 0.25, precision: "bf16" } as const;

function found(...outputs: Expression[]): ReturnType<typeof fusedAttentions> {
  const { order, readers } = readGraph(outputs);
  return fusedAttentions(order, readers);
}

/** The node of an operation that a graph has once. */
function only(op: Expression["op"], output: Expression): Expression {
  const all = inOrder([output]).filter((node) => node.op === op);
  expect(all).toHaveLength(1);
  return all[0]!;
}

describe("which attention is one node", () => {
  test("that of products in bf16", () => {
    const own = given();
    const output = attention(own, inBf16);
    const [fused, ...others] = [...found(output).values()];
    expect(others).toEqual([]);
    expect(fused).toMatchObject({ mask: own.mask, factor: 0.25 });
    expect(operands(output)[0]).toBe(fused?.end);
    expect([fused?.query, fused?.keys, fused?.values].map((node) => node && operands(node)[0])).toEqual([
      own.query,
      own.key,
      own.value,
    ]);
  });

  test("none that the backend does not compute", () => {
    const outputs = [attention(given(), inBf16)];
    const attentionsOf = (fuses?: () => boolean): number =>
      planGraph(outputs, { isCpu: false, library: undefined, fuses }).attentions.size;
    expect([attentionsOf(() => true), attentionsOf(() => false), attentionsOf()]).toEqual([1, 0, 0]);
  });

  test("none in f32 or f16, with a soft cap or a bias", () => {
    expect(found(attention(given(), { factor: 0.25 })).size).toBe(0);
    expect(found(attention(given(), { factor: 0.25, precision: "f16" })).size).toBe(0);
    expect(found(attention(given(), { ...inBf16, cap: 8 })).size).toBe(0);
    expect(found(attention({ ...given(), bias: f32(1, 6, 7, 7) }, inBf16)).size).toBe(0);
  });

  test("none of which something inside is asked for, or read by a way back", () => {
    const own = given();
    const output = attention(own, inBf16);
    expect(found(output, only("softmax", output)).size).toBe(0);
    expect(found(output, operands(only("softmax", output))[0]!).size).toBe(0);
    expect(found(output, add(only("softmax", output), only("softmax", output))).size).toBe(0);
    const derivatives = gradients([{ output, seed: f32(...output.shape) }], [own.query]);
    expect(found(output, derivatives[0]!).size).toBe(0);
  });
});

describe("one node on ggml's CPU, which has all of them", () => {
  let [products, fused]: Device[] = [];
  beforeAll(async () => {
    products = await openGgml({ backend: "cpu", products: "ggml", fusesAttention: false });
    fused = await openGgml({ backend: "cpu", products: "ggml", fusesAttention: true });
  });
  afterAll(async () => {
    await products![Symbol.asyncDispose]();
    await fused![Symbol.asyncDispose]();
  });

  interface Case {
    readonly shape: readonly [batch: number, length: number, heads: number, kvHeads: number, width: number];
    /** Whether the first row of the mask is of padding. */
    readonly masked?: boolean;
  }

  async function outputOn(device: Device, { shape, masked }: Case): Promise<[Expression, DeviceTensor[]]> {
    const [batch, length, heads, kvHeads, width] = shape;
    const random = generator(elementCount(shape));
    const tensors: DeviceTensor[] = [];
    const drawn = async (shape: Shape, size: number): Promise<Expression> => {
      const values = noise(random, elementCount(shape)).map((value) => 8 * size * value);
      tensors.push(await device.upload(f32Bytes(values), "f32", shape));
      return input(tensors.at(-1)!);
    };
    const query = await drawn([batch, length, heads, width], 2);
    const key = await drawn([batch, length, kvHeads, width], 2);
    const value = await drawn([batch, length, kvHeads, width], 1);
    const mask = causalMask(batch, length);
    if (masked) mask.fill(-Infinity, 0, length);
    tensors.push(await device.upload(f32Bytes(mask), "f32", [batch, length, length]));
    const operands = { query, key, value, mask: input(tensors.at(-1)!) };
    return [attention(operands, { factor: 1 / Math.sqrt(width), precision: "bf16" }), tensors];
  }

  /** What it makes of a case, and of the same where each operation is computed by itself. */
  async function valuesOf(device: Device, own: Case): Promise<readonly [Float32Array, Float32Array]> {
    const [output, tensors] = await outputOn(device, own);
    const results = [...(await device.run([output])), ...(await device.run([output], { separately: true }))];
    const [whole, apart] = [await device.read(results[0]!), await device.read(results[1]!)];
    device.free(...tensors, ...results);
    return [f32Values(whole), f32Values(apart)];
  }

  test.each<Case>([
    { shape: [2, 33, 6, 2, 64] },
    { shape: [1, 21, 3, 1, 80] },
    { shape: [1, 64, 4, 4, 96] },
    { shape: [1, 70, 8, 2, 128] },
    { shape: [1, 17, 2, 1, 256] },
    { shape: [2, 1, 4, 2, 64] },
  ])("is as near as products in bf16, and not taken where each operation stands alone: %o", async (own) => {
    const [exact] = await valuesOf(products!, own);
    const [whole, apart] = await valuesOf(fused!, own);
    // ggml's CPU multiplies so short rows in f32.
    expect(apart.filter((value, i) => value !== exact[i]).length).toBe(0);
    const errors = whole.map((value, i) => Math.abs(value - exact[i]!) / Math.max(1, Math.abs(exact[i]!)));
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.02);
    expect(Math.max(...errors)).toBeGreaterThan(1e-4);
  });

  test("a row that sees nothing spoils no other", async () => {
    const shape = [1, 9, 4, 2, 64] as const;
    const [whole] = await valuesOf(fused!, { shape, masked: true });
    const [seen] = await valuesOf(fused!, { shape });
    const row = 4 * 64;
    expect(whole.subarray(row)).toEqual(seen.subarray(row));
  });

  test("derivatives, and results beside them, are those of products", async () => {
    const own: Case = { shape: [2, 12, 4, 2, 64] };
    const bits: Uint8Array[][] = [];
    for (const device of [products!, fused!]) {
      const [output, tensors] = await outputOn(device, own);
      const inputs = inOrder([output]).filter((node) => node.op === "input" && node.tensor !== tensors.at(-1));
      const derivatives = gradients([{ output, seed: output }], inputs);
      const results = await device.run([output, ...derivatives.map((each) => each!)]);
      const read: Uint8Array[] = [];
      for (const result of results) read.push(await device.read(result));
      bits.push(read);
      device.free(...tensors, ...results);
    }
    expect(bits[1]).toHaveLength(4);
    expect(bits[1]).toEqual(bits[0]);
  });
});
