import { describe, expect, test } from "vitest";
import type { Device } from "../../../src/device/device.ts";
import {
  argmax,
  cast,
  type Expression,
  input,
  logProbability,
  matmul,
  mul,
  normalize,
  permute,
  silu,
  sumTo,
} from "../../../src/device/expression.ts";
import { buildGraph, planGraph } from "../../../src/device/ggml/build-graph.ts";
import { openGgml } from "../../../src/device/ggml/engine.ts";
import { startGgml } from "../../../src/device/ggml/start.ts";
import { isView } from "../../../src/device/ggml/views.ts";
import { linear, rmsNorm } from "../../../src/device/layers.ts";
import { type Dtype, elementCount } from "../../../src/tensor/dtype.ts";
import { f32Bytes, f32Values, generator, noise } from "../sample-values.ts";

const tensor = (shape: readonly number[], dtype: Dtype = "f32"): Expression => input({ dtype, shape });

/** ggml's names of what a GPU computes for a graph, in order. */
const operationsOf = (...outputs: Expression[]): Promise<string[]> => operationsOn({ isCuda: false }, outputs);

async function operationsOn({ isCuda }: { isCuda: boolean }, outputs: readonly Expression[]): Promise<string[]> {
  const { ggml } = await startGgml();
  const device = { isCpu: false, isCuda, library: undefined };
  const plan = planGraph(outputs, device);
  const memSize = plan.capacity * Number(ggml.tensorOverhead()) + Number(ggml.graphOverhead(plan.capacity, false));
  const context = ggml.init({ memSize, memBuffer: null, noAlloc: true });
  try {
    const { graph } = buildGraph(plan, { ...device, ggml, context, products: undefined, refuse: () => {} });
    const nodes = Array.from({ length: Number(ggml.nodeCount(graph)) }, (_, i) => ggml.nodeAt(graph, i));
    return nodes.filter((node) => !isView(ggml, node)).map((node) => String(ggml.operationOf(node)));
  } finally {
    ggml.freeContext(context);
  }
}

const stacks = (n: number, terms: number, columns: number): readonly [Expression, Expression] => [
  tensor([2, 3, n, terms]),
  tensor([2, 3, columns, terms]),
];

const productOf = (n: number, terms: number, columns: number): Promise<string[]> =>
  operationsOn({ isCuda: true }, [matmul(...stacks(n, terms, columns), { transposeY: true })]);

/** Products and permutations of the same random numbers on any device. */
async function resultsOn(device: Device): Promise<readonly Uint8Array[]> {
  const random = generator(21);
  const drawn = async ({ shape }: Expression): Promise<Expression> =>
    input(await device.upload(f32Bytes(noise(random, elementCount(shape))), "f32", shape));
  const outputs: Expression[] = [];
  for (const n of [4, 7, 16]) {
    const [x, y] = await Promise.all(stacks(n, 64, 96).map(drawn));
    const turned = permute(x!, [0, 2, 1, 3]);
    outputs.push(matmul(x!, y!, { transposeY: true }), turned, permute(x!, [3, 0, 1, 2]));
    const [rows, weight] = await Promise.all([tensor([n, 32]), tensor([64, 32])].map(drawn));
    const flat = linear(rows!, weight!);
    const targets = input(await device.upload(new Uint8Array(4 * n), "i32", [n]));
    outputs.push(flat, matmul(flat, rows!, { transposeX: true }), argmax(flat), logProbability(flat, targets));
  }
  const results = await device.run(outputs);
  return Promise.all(results.map((result) => device.read(result)));
}

describe("what a GPU's backend computes in one pass stands one behind the other", () => {
  const x = tensor([5, 32]);

  test("a norm and its row of factors, which are widened before", async () => {
    const norm = rmsNorm(x, cast(tensor([32], "bf16"), "f32"), 1e-6);
    expect(await operationsOf(norm)).toEqual(["CPY", "RMS_NORM", "MUL"]);
  });

  test("the silu of a gate and what it lets through", async () => {
    const [gate, up] = [0, 1].map(() => linear(x, tensor([64, 32], "bf16"))) as [Expression, Expression];
    const passed = ["MUL_MAT", "MUL_MAT", "SILU", "MUL"];
    expect(await operationsOf(mul(silu(gate), up))).toEqual(passed);
    expect(await operationsOf(mul(up, silu(gate)))).toEqual(passed);
  });

  test("not where somebody else reads the first, or it is asked for", async () => {
    const gate = silu(x);
    const passed = mul(gate, normalize(tensor([5, 32]), 1e-6));
    expect(await operationsOf(gate, passed)).toEqual(["SILU", "RMS_NORM", "MUL"]);
    expect(await operationsOf(passed, mul(gate, gate))).toEqual(["SILU", "RMS_NORM", "MUL", "MUL"]);
  });
});

describe("what CUDA does better in another way", () => {
  test("products of few rows, whose factors its own kernel would cut", async () => {
    const padded = ["PAD", "MUL_MAT", "CONT"];
    expect(await Promise.all([4, 16].map((n) => productOf(n, 64, 96)))).toEqual([padded, padded]);
    const others = [productOf(3, 64, 96), productOf(17, 64, 96), productOf(4, 48, 96), productOf(4, 64, 80)];
    expect(await Promise.all(others)).toEqual(others.map(() => ["MUL_MAT"]));
    const [x, y] = stacks(4, 64, 96);
    const inBf16 = [matmul(x, y, { transposeY: true, precision: "bf16" })];
    expect(await operationsOn({ isCuda: true }, inBf16)).toEqual(["CPY", "MUL_MAT"]);
    expect(await operationsOf(matmul(x, y, { transposeY: true }))).toEqual(["MUL_MAT"]);
  });

  test("permutations of rows, as products by one", async () => {
    const x = tensor([2, 3, 4, 5]);
    const all = [permute(x, [0, 2, 1, 3]), permute(x, [1, 2, 0, 3]), permute(x, [3, 0, 1, 2])];
    expect(await operationsOn({ isCuda: true }, all)).toEqual(["ARANGE", "MUL", "MUL", "CONT"]);
    expect(await operationsOf(...all)).toEqual(["CONT", "CONT", "CONT"]);
  });

  test("sums over many rows, in groups", async () => {
    const operationsFor = [1, 7, 12].map((rows) => operationsOn({ isCuda: true }, [sumTo(tensor([rows, 5]), [1, 5])]));
    const found = await Promise.all(operationsFor);
    expect(found).toEqual([["CONT"], ["REPEAT_BACK"], ["REPEAT_BACK", "REPEAT_BACK"]]);
    await using device = await openGgml({ backend: "cpu", products: "ggml", isCuda: true });
    // Whole numbers, whose sums are exact in any order.
    const values = Float32Array.from({ length: 12 * 5 }, (_, i) => (i * i) % 31);
    const x = input(await device.upload(f32Bytes(values), "f32", [12, 5]));
    const [columns, all] = await device.run([sumTo(x, [1, 5]), sumTo(x, [1, 1])]);
    const expected = Array.from({ length: 5 }, (_, k) =>
      values.reduce((sum, value, i) => (i % 5 === k ? sum + value : sum), 0),
    );
    expect([...f32Values(await device.read(columns!))]).toEqual(expected);
    expect([...f32Values(await device.read(all!))]).toEqual([expected.reduce((sum, value) => sum + value)]);
  });

  test("and gets the same numbers", async () => {
    await using plain = await openGgml({ backend: "cpu", products: "ggml" });
    await using other = await openGgml({ backend: "cpu", products: "ggml", isCuda: true });
    expect(await resultsOn(other)).toEqual(await resultsOn(plain));
  });
});
