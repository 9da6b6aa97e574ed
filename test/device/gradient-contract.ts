import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { dot, input, mul, scale, silu, sliceRows, type Expression } from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { linear } from "../../src/device/layers.ts";
import { agreeWithDifferences } from "./finite-differences.ts";
import { gradientCases, type GradientCase } from "./gradient-cases.ts";
import { mapValues } from "./map-values.ts";
import type { StoredTensor } from "./operation-cases.ts";
import { f32Bytes, f32Values, generator, noise } from "./sample-values.ts";
import type { Tolerance } from "./tolerances.ts";

/** Of derivatives of order 1 by the inputs of one operation, in f32. */
const F32_ERROR = 1e-4;

/** Registers what holds of derivatives on every engine. */
export function testGradients(device: () => Device, open: () => Promise<Device>, tolerance: Tolerance): void {
  describe("gradients", () => {
    test.each(gradientCases)("of $op agree with PyTorch: $name", async (stored) => {
      const placed = new Map<StoredTensor, Expression>();
      for (const tensor of [...Object.values(stored.inputs), stored.seed])
        placed.set(tensor, await put(device(), tensor));
      const found = differentiate(stored, (tensor) => placed.get(tensor)!);
      const expected = Object.values(stored.derivatives);
      expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
      const values = await valuesOf(device(), found);
      for (const [i, { bytes }] of expected.entries()) {
        const answers = f32Values(bytes);
        const errors = values[i]!.map((value, k) => Math.abs(value - answers[k]!) / Math.max(1, Math.abs(answers[k]!)));
        expect(errors).toHaveLength(answers.length);
        const hasHalves = Object.values(stored.inputs).some(({ dtype }) => dtype === "bf16" || dtype === "f16");
        const allowed = hasHalves ? tolerance.halfSums : tolerance.products;
        expect(Math.max(...errors)).toBeLessThanOrEqual(Math.max(F32_ERROR, allowed));
      }
    });

    // Between values of rounded products there would be more noise than difference.
    test.skipIf(tolerance.products > F32_ERROR)("of random graphs are what differences say", async () => {
      await agreeWithDifferences(device());
    });

    test("of many batches in one graph take hardly more room than those of a few", async () => {
      await using few = await open();
      await using many = await open();
      const inputs = 2 * 64 * 64 * 4;
      const grown = (await derivativesOfBatches(many, 12)) - (await derivativesOfBatches(few, 2));
      // Of the activations and derivatives of the hidden layer, 256 KiB each, a batch has at least three.
      expect(grown).toBeLessThan(10 * inputs + 2 ** 19);
    });

    test("of a slice of a vocabulary's rows are zeros but there", async () => {
      // More than 2^16, as a GPU's grid has no such side.
      const [rows, from, count] = [70_000, 69_000, 3];
      const table = await put(device(), {
        dtype: "f32",
        shape: [rows, 2],
        bytes: f32Bytes(new Float32Array(2 * rows)),
      });
      const own = [1, 2, 3, 4, 5, 6];
      const seed = await put(device(), { dtype: "f32", shape: [count, 2], bytes: f32Bytes(own) });
      const [derivative] = gradients([{ output: sliceRows(table, from, count), seed }], [table]);
      const [found] = await valuesOf(device(), [derivative!]);
      expect(found).toHaveLength(2 * rows);
      expect(found!.splice(2 * from, own.length)).toEqual(own);
      expect(found!.every((value) => value === 0)).toBe(true);
    });

    test("the derivative by a factor is a number, the dot product with what it scales", async () => {
      const values = [1, -2, 3, 0.5, 4, -1];
      const x = await put(device(), { dtype: "f32", shape: [2, 3], bytes: f32Bytes(values) });
      const seed = await put(device(), { dtype: "f32", shape: [2, 3], bytes: f32Bytes([1, 2, 3, 4, 5, 6]) });
      const weighted = scale(x, 0.7);
      const [g] = gradients([{ output: mul(weighted, weighted), seed }], [weighted]);
      const [found] = await valuesOf(device(), [dot(g!, x)]);
      const expected = values.reduce((sum, value, i) => sum + (i + 1) * 2 * 0.7 * value ** 2, 0);
      expect(found).toEqual([expect.closeTo(expected, 4)]);
    });
  });
}

/** Derivatives of a case's graph by the wanted inputs, each tensor of which `place` brings to a device. */
export function differentiate(
  { inputs, seed, derivatives, build }: GradientCase,
  place: (tensor: StoredTensor) => Expression,
): readonly Expression[] {
  const operands = mapValues(inputs, place);
  const wanted = Object.keys(derivatives).map((name) => operands[name]!);
  return gradients([{ output: build(operands), seed: place(seed) }], wanted).map((derivative) => derivative!);
}

/** A hidden layer of 1024, of 64 rows each, with a weight that all batches share; states and seeds are uploaded. */
async function derivativesOfBatches(device: Device, count: number): Promise<number> {
  const random = generator(14);
  const matrix = (rows: number, columns: number): Promise<Expression> =>
    put(device, { dtype: "f32", shape: [rows, columns], bytes: f32Bytes(noise(random, rows * columns)) });
  const [up, down] = [await matrix(1024, 64), await matrix(64, 1024)];
  const outputs: { output: Expression; seed: Expression }[] = [];
  for (let i = 0; i < count; i += 1) {
    const output = linear(silu(linear(await matrix(64, 64), up)), down);
    outputs.push({ output, seed: await matrix(64, 64) });
  }
  await device.run(gradients(outputs, [up, down]).map((derivative) => derivative!));
  return device.memory.peakBytes;
}

async function put(device: Device, { bytes, dtype, shape }: StoredTensor): Promise<Expression> {
  return input(await device.upload(bytes, dtype, shape));
}

async function valuesOf(device: Device, outputs: readonly Expression[]): Promise<number[][]> {
  const tensors = await device.run(outputs);
  const values: number[][] = [];
  for (const tensor of tensors) values.push([...f32Values(await device.read(tensor))]);
  device.free(...tensors);
  return values;
}
