import { describe, expect, test } from "vitest";
import { cast, input, mul, normalize, silu, type Expression } from "../../../src/device/expression.ts";
import { buildGraph, planGraph } from "../../../src/device/ggml/build-graph.ts";
import { startGgml } from "../../../src/device/ggml/start.ts";
import { isView } from "../../../src/device/ggml/views.ts";
import { linear, rmsNorm } from "../../../src/device/layers.ts";
import type { Dtype } from "../../../src/tensor/dtype.ts";

const tensor = (shape: readonly number[], dtype: Dtype = "f32"): Expression => input({ dtype, shape });

/** ggml's names of what a GPU computes for a graph, in order. */
async function operationsOf(...outputs: Expression[]): Promise<string[]> {
  const { ggml } = await startGgml();
  const device = { isCpu: false, library: undefined };
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
