import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import {
  add,
  cast,
  constant,
  input,
  logProbability,
  matmul,
  mul,
  scale,
  sub,
  type Expression,
} from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { substitute } from "../../src/device/graph.ts";
import { recalled, resultsToKeep } from "../../src/evaluate/kept-results.ts";
import { derivativesOf } from "../../src/evaluate/stage-derivatives.ts";
import { inBlocks, type ScaledWeight, type StageGraph } from "../../src/evaluate/stage-graph.ts";
import { mapValues } from "../../src/evaluate/stage-run.ts";
import type { State } from "../../src/model/architecture.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";

const [TOKENS, WIDTH, ROWS] = [16, 256, 4096];
/** Eight blocks. */
const WHOLE = (ROWS * WIDTH) / 8;
const weight = { name: "head", shape: [ROWS, WIDTH] } as unknown as ScaledWeight["weight"];

function factors(length: number, shape: readonly number[]): Expression {
  return constant(
    Float32Array.from({ length }, (_, i) => 0.1 + i / length),
    shape,
  );
}

/** A head that is merged with a number, one for each column, and one for each row. */
async function headOn(device: Device): Promise<{ readonly graph: StageGraph; readonly seeds: readonly State[] }> {
  const noise = async (seed: string, dtype: "bf16" | "f32", ...shape: number[]): Promise<Expression> => {
    const stream = RandomStream.of(1, seed);
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.normal());
    return input(await device.upload(new Uint8Array(fromFloat32(values, dtype)), dtype, shape));
  };
  const [base, a, b, c] = await Promise.all(["base", "a", "b", "c"].map((seed) => noise(seed, "bf16", ROWS, WIDTH)));
  const start = cast(base!, "f32");
  const nodes = [
    scale(sub(cast(a!, "f32"), start), 0.3),
    mul(sub(cast(b!, "f32"), start), factors(WIDTH, [1, WIDTH])),
    mul(sub(cast(c!, "f32"), start), factors(ROWS, [ROWS, 1])),
  ] as ScaledWeight["node"][];
  const merged = cast(nodes.reduce<Expression>(add, start), "bf16");
  const hidden = await noise("hidden", "f32", TOKENS, WIDTH);
  const targets = input(
    await device.upload(new Uint8Array(Int32Array.from({ length: TOKENS }, (_, i) => 200 * i).buffer), "i32", [TOKENS]),
  );
  const logits = scale(matmul(hidden, merged, { transposeY: true }), 0.01);
  const after = [{ targets: logProbability(logits, targets) }];
  const coefficients = nodes.map((node, expert) => ({
    weight,
    node,
    factor: [{ parameter: "weight", expert, slope: 1 }],
  }));
  const graph = { merged: { head: merged }, before: [{ hidden }], after, coefficients, heightOf: () => ROWS };
  return { graph, seeds: [{ targets: await noise("seed", "f32", TOKENS) }] };
}

interface Found {
  readonly state: Float32Array;
  /** Of each expert, added up. */
  readonly slopes: readonly Float64Array[];
  readonly workBytes: number;
}

/** With the results from inside the stage that a way forward would have kept. */
async function differentiated(wholeElements?: number): Promise<Found> {
  await using device = await openGgml({ backend: "cpu" });
  const { graph: whole, seeds } = await headOn(device);
  const graph = { ...whole, ...inBlocks(whole.after, whole.coefficients, wholeElements) };
  const [keeping = {}] = resultsToKeep(graph);
  const results = await device.run(Object.values(keeping));
  let next = 0;
  const kept = mapValues(keeping, () => results[next++]!);
  const { states, slopes } = derivativesOf(graph, seeds);
  const outputs = [states[0]!["hidden"]!, ...slopes.map(({ sum }) => sum)];
  const [state, ...sums] = await device.run(substitute(outputs, recalled(graph, [kept])));
  const found = [1, WIDTH, ROWS].map((length) => new Float64Array(length));
  for (const [i, { factor }] of slopes.entries()) {
    const values = toFloat32(await device.read(sums[i]!), "f32");
    for (const [j, value] of values.entries()) found[factor[0]!.expert]![j]! += value;
  }
  return { state: toFloat32(await device.read(state!), "f32"), slopes: found, workBytes: device.memory.workBytes };
}

describe("a weight in blocks", () => {
  test("has the derivatives of the whole one, in a fraction of the memory", async () => {
    const [whole, divided] = [await differentiated(), await differentiated(WHOLE)];
    const pairs = [[whole.state, divided.state], ...whole.slopes.map((own, i) => [own, divided.slopes[i]!])];
    for (const [expected, found] of pairs as [Float64Array, Float64Array][]) {
      const largest = Math.max(...expected.map(Math.abs));
      expect(largest).toBeGreaterThan(0.01);
      expect(found).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value)).toBeLessThan(1e-5 * largest);
    }
    expect(whole.workBytes).toBeGreaterThan(4 * ROWS * WIDTH);
    expect(divided.workBytes).toBeLessThan(ROWS * WIDTH * 4 * 0.75);
  });
});
