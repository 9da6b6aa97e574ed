import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { input, mul, scale, type Expression } from "../../src/device/expression.ts";
import { dot, gradients } from "../../src/device/gradient.ts";
import { gradientCases } from "./gradient-cases.ts";
import type { StoredTensor } from "./operation-cases.ts";
import { f32Bytes, f32Values } from "./sample-values.ts";
import type { Tolerance } from "./tolerances.ts";

/** Of derivatives of order 1 by the inputs of one operation, in f32. */
const F32_ERROR = 1e-4;

/** Registers what holds of derivatives on every engine. */
export function testGradients(device: () => Device, tolerance: Tolerance): void {
  describe("gradients", () => {
    test.each(gradientCases)("of $op agree with PyTorch: $name", async ({ inputs, seed, derivatives, build }) => {
      const operands: Record<string, Expression> = {};
      for (const [name, tensor] of Object.entries(inputs)) operands[name] = await put(device(), tensor);
      const wanted = Object.keys(derivatives).map((name) => operands[name]!);
      const found = gradients([{ output: build(operands), seed: await put(device(), seed) }], wanted);
      expect(found.map((g) => g?.shape)).toEqual(Object.values(derivatives).map(({ shape }) => shape));
      const values = await valuesOf(
        device(),
        found.map((g) => g!),
      );
      for (const [i, { bytes }] of Object.values(derivatives).entries()) {
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
