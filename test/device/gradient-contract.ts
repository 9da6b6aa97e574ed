import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { input, mul, scale, type Expression } from "../../src/device/expression.ts";
import { dot, gradients } from "../../src/device/gradient.ts";
import { gradientCases, type GradientCase } from "./gradient-cases.ts";
import type { StoredTensor } from "./operation-cases.ts";
import { f32Bytes, f32Values } from "./sample-values.ts";
import type { Tolerance } from "./tolerances.ts";

/** Of derivatives of order 1 by the inputs of one operation, in f32. */
const F32_ERROR = 1e-4;

/** Registers what holds of derivatives on every engine. */
export function testGradients(device: () => Device, tolerance: Tolerance): void {
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
        expect(Math.max(...errors)).toBeLessThanOrEqual(Math.max(F32_ERROR, tolerance.products));
      }
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

/** A record of the same names. */
export function mapValues<X, Y>(record: Readonly<Record<string, X>>, change: (value: X) => Y): Record<string, Y> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
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
