import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { cast, input, logProbability, matmul, silu, type Expression } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { gradients } from "../../src/device/gradient.ts";
import { inOrder } from "../../src/device/graph.ts";
import { productsInBlocks } from "../../src/device/row-blocks.ts";
import { mergeTensor } from "../../src/merge/merge-tensor.ts";
import type { Step } from "../../src/merge/recipe.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { pack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { testedEngines } from "./tested-engines.ts";

const [TOKENS, WIDTH, ROWS] = [16, 256, 3000];
/** Three blocks, of which the last is smaller. */
const WHOLE = 1024 * WIDTH;

const steps: readonly Step[] = [
  { method: "task_arithmetic", values: { weight: [0.3, 0.9] } },
  { method: "linear", values: { weight: [0.3, 0.9].map((mean) => pack(new Float32Array(WIDTH).fill(mean))) } },
  { method: "passthrough", model: "b" },
];

async function noise(device: Device, seed: string, dtype: Dtype, shape: readonly number[]): Promise<Expression> {
  const stream = RandomStream.of(1, seed);
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal());
  return input(await device.upload(new Uint8Array(fromFloat32(values, dtype)), dtype, shape));
}

async function numbers(device: Device, outputs: readonly Expression[]): Promise<Float32Array[]> {
  const results = await device.run(outputs);
  const read = await Promise.all(results.map(async (result) => toFloat32(await device.read(result), "f32")));
  device.free(...results);
  return read;
}

describe.each([
  ...testedEngines,
  ["ggml without a library", () => openGgml({ backend: "cpu", products: "ggml" })] as const,
])("products in blocks of rows, on %s", (_, open) => {
  let device: Device;
  let models: Readonly<Record<string, Expression>>;
  beforeAll(async () => {
    device = await open();
    const names = ["base", "a", "b"];
    const own = await Promise.all(names.map((name) => noise(device, name, "bf16", [ROWS, WIDTH])));
    models = Object.fromEntries(names.map((name, i) => [name, own[i]!]));
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(steps)("have the bits of whole ones, and derivatives but for the order of sums: %j", async (step) => {
    const x = await noise(device, "x", "f32", [TOKENS, WIDTH]);
    const targets = input(
      await device.upload(new Uint8Array(new Int32Array(TOKENS).fill(2999).buffer), "i32", [TOKENS]),
    );
    const matrix = cast(mergeTensor({ models, base: "base", experts: ["a", "b"] }, step), "f32");
    const logits = matmul(silu(x), matrix, { transposeY: true });
    const whole = [logits, logProbability(logits, targets)];
    const divided = productsInBlocks(whole, undefined, WHOLE);
    const rows = inOrder(divided).flatMap(({ op, shape }) => (op === "sliceRows" ? [shape[0]!] : []));
    expect(new Set(rows)).toEqual(new Set([1024, 952]));
    expect(inOrder(divided).filter(({ op, shape }) => op === "cast" && shape[0] === ROWS)).toEqual([]);
    expect(await numbers(device, divided)).toEqual(await numbers(device, whole));
    const seed = await noise(device, "seed", "f32", [TOKENS]);
    const byX = (outputs: readonly Expression[]): Expression => gradients([{ output: outputs[1]!, seed }], [x])[0]!;
    const [expected, found] = await numbers(device, [byX(whole), byX(divided)]);
    const largest = Math.max(...expected!.map(Math.abs));
    expect(largest).toBeGreaterThan(0.1);
    for (const [i, value] of expected!.entries()) expect(Math.abs(found![i]! - value)).toBeLessThan(1e-5 * largest);
  });
});

function tensor(...shape: number[]): Expression {
  return input({ dtype: "f32", shape });
}

function times(x: Expression, y: Expression): Expression {
  return matmul(x, y, { transposeY: true });
}

describe("what is divided", () => {
  test("is no small matrix, and none that is not computed element by element", () => {
    const x = tensor(2, 8);
    for (const y of [tensor(64, 8), silu(tensor(65, 8)), times(tensor(65, 4), tensor(8, 4))]) {
      const product = times(x, y);
      expect(productsInBlocks([product], undefined, 64 * 8)).toEqual([product]);
    }
  });

  test("is a product behind another too, and each matrix once", () => {
    const [large, copies] = [cast(tensor(65, 65), "bf16"), new Set<Expression>()];
    const x = tensor(2, 65);
    const product = times(times(x, large), large);
    const [divided] = productsInBlocks([product], (_, copy) => copies.add(copy), 64 * 65);
    expect(divided!.shape).toEqual(product.shape);
    const slices = inOrder([divided!]).filter(({ op }) => op === "sliceRows");
    expect(slices.map(({ shape }) => shape[0])).toEqual([64, 1]);
    expect([...copies].filter(({ op }) => op === "cast")).toHaveLength(2);
  });
});
