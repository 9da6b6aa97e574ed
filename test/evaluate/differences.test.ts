import { afterAll, beforeAll, expect, test } from "vitest";
import type { Device, DeviceTensor, GraphOptions } from "../../src/device/device.ts";
import type { Expression } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { inOrder } from "../../src/device/graph.ts";
import type { MergeRecipe } from "../../src/merge/recipe.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { experts, openTinyFamily, randomPrompts, recipeOf } from "./tiny-family.ts";

/** Counts the large differences that are computed. */
class CountingDevice extends ObservedDevice {
  differences = 0;

  override run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]> {
    this.differences += inOrder(outputs).filter(isLargeDifference).length;
    return super.run(outputs, options);
  }
}

function isLargeDifference({ op, shape: [rows = 1, columns = 1] }: Expression): boolean {
  return op === "sub" && rows * columns >= 2 ** 17;
}

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

/** So many are large at least: queries and what attention gives, in each layer and for each expert. The embedding is not. */
const model = { layers: 2, hidden: 384 };
const LARGE = 2 * model.layers * experts.length;

function recipes(count: number): MergeRecipe[] {
  return Array.from({ length: count }, (_, i) => recipeOf(2, (layer) => 0.1 + 0.2 * i + 0.05 * layer));
}

test("differences from the base are computed once for all candidates of a stage, with the same bits", async () => {
  const observed = new CountingDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model });
  const prompts = randomPrompts(3);
  const five = await family.scorer.score(recipes(5), prompts, { digestOf: 2 });
  const once = observed.differences;
  const alone = await family.scorer.score([recipes(3)[2]!], prompts, { digestOf: 0 });
  expect(observed.differences - once).toBe(once);
  expect(once).toBeGreaterThanOrEqual(LARGE);
  expect(five.logLikelihoods[2]).toEqual(alone.logLikelihoods[0]);
  expect(five.digest).toBe(alone.digest);
});

test.each(["bf16", "f32"] as const)(
  "where merges of %s stay in a cache, weights are merged for all candidates at once, with the same bits",
  async (dtype) => {
    const observed = new CountingDevice(device);
    const options = { model: { ...model, dtype } };
    await using family = await openTinyFamily(await temporaryFolder(), observed, options);
    const prompts = randomPrompts(3);
    const known = await family.scorer.score(recipes(4), prompts, { digestOf: 1 });
    const once = observed.differences;
    observed.mergesInCache = true;
    expect(await family.scorer.score(recipes(4), prompts, { digestOf: 1 })).toEqual(known);
    expect(observed.differences - once).toBe(once);
  },
);

test("where merges stay in a cache and there is no room for all each candidate makes its own", async () => {
  const observed = new CountingDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model });
  const prompts = randomPrompts(3);
  const known = await family.scorer.score(recipes(4), prompts, { digestOf: 1 });
  const once = observed.differences;
  Object.assign(observed, { mergesInCache: true, claimed: { capacityBytes: 2 ** 22 } });
  const before = observed.memory.bytes;
  expect(await family.scorer.score(recipes(4), prompts, { digestOf: 1 })).toEqual(known);
  expect(observed.differences - once).toBe(4 * once);
  expect(observed.memory.bytes).toBe(before);
});

test("where there is no room for them each candidate computes its own", async () => {
  const observed = new CountingDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model });
  const prompts = randomPrompts(3);
  const roomy = await family.scorer.score(recipes(4), prompts);
  const once = observed.differences;
  observed.claimed = { capacityBytes: 2 ** 22 };
  const before = observed.memory.bytes;
  expect(await family.scorer.score(recipes(4), prompts)).toEqual(roomy);
  expect(observed.differences - once).toBe(4 * once);
  expect(observed.memory.bytes).toBe(before);
});

test("derivatives read them too, and are those of each candidate alone", async () => {
  const observed = new CountingDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model });
  const rows = randomPrompts(3).map((prompt) => ({
    prompts: [prompt],
    derivative: (values: readonly ArrayLike<number>[]) => values.map((own) => Array.from(own, () => -1)),
  }));
  const together = await family.scorer.gradient(recipes(4), rows);
  const once = observed.differences;
  const [alone] = (await family.scorer.gradient([recipes(4)[1]!], rows)).derivatives;
  // On the way forward and on the way back; alone, there once more for the derivatives.
  expect(observed.differences - once).toBe((3 / 2) * once);
  expect(together.derivatives[1]).toEqual(alone);
  observed.mergesInCache = true;
  expect(await family.scorer.gradient(recipes(4), rows)).toEqual(together);
});
