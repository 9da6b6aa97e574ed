import { afterAll, beforeAll, expect, test } from "vitest";
import type { Device, DeviceTensor, GraphOptions } from "../../src/device/device.ts";
import type { Expression } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { inOrder } from "../../src/device/graph.ts";
import { elementCount } from "../../src/tensor/dtype.ts";
import type { GenerationGradient } from "../../src/evaluate/differentiate.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { experts, openTinyFamily, randomPrompts, recipeOf, type TinyFamily } from "./tiny-family.ts";

/** Operations of a merge. */
const MERGE = new Set<Expression["op"]>(["input", "cast", "sub", "scale", "add"]);

function isLarge({ shape }: Pick<Expression, "shape">): boolean {
  return elementCount(shape) >= 2 ** 20;
}

/** Counts the large weights that are merged, and of these those of runs that do nothing else. */
class CountingDevice extends ObservedDevice {
  merges = 0;
  mergedApart = 0;

  override run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]> {
    const nodes = inOrder(outputs);
    // Each expert's difference from the base is a part of its own.
    this.merges += nodes.filter(({ op, shape }) => op === "sub" && isLarge({ shape })).length / experts.length;
    if (nodes.every(({ op }) => MERGE.has(op))) this.mergedApart += outputs.filter(isLarge).length;
    return super.run(outputs, options);
  }
}

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

/** A family whose layer has large weights, on a device where merges stay in a cache. */
async function largeFamily(): Promise<{ readonly observed: CountingDevice; readonly family: TinyFamily }> {
  const observed = new CountingDevice(device);
  observed.mergesInCache = true;
  const model = { layers: 1, hidden: 1024 };
  return { observed, family: await openTinyFamily(await temporaryFolder(), observed, { model }) };
}

const recipe = recipeOf(1, (_, expert) => 0.3 + 0.2 * expert);

/** What it is on so many lanes, and what was merged for it. */
async function on<T>(
  observed: CountingDevice,
  lanes: number,
  work: () => Promise<T>,
): Promise<{ result: T; merges: number; apart: number }> {
  observed.concurrency = lanes;
  const { merges, mergedApart } = observed;
  const result = await work();
  return { result, merges: observed.merges - merges, apart: observed.mergedApart - mergedApart };
}

test("large weights of a candidate are merged once for all shares of its batches, with the same bits", async () => {
  const { observed, family } = await largeFamily();
  await using _ = family;
  const prompts = randomPrompts(12);
  const score = (own = prompts): Promise<unknown> => family.scorer.score([recipe], own, { digestOf: 0 });
  const one = await on(observed, 1, score);
  const four = await on(observed, 4, score);
  expect(one.merges).toBeGreaterThanOrEqual(2);
  expect(four.merges).toBe(one.merges);
  expect([one.apart, four.apart]).toEqual([0, one.merges]);
  expect(four.result).toEqual(one.result);
  // One batch is not divided.
  const single = (): Promise<unknown> => score(prompts.slice(0, 1));
  const alone = await on(observed, 4, single);
  expect(alone.apart).toBe(0);
  // Where a run of merges goes over memory once, those of a single candidate are worth one.
  Object.assign(observed, { mergesInCache: false, mergesAtOnce: true });
  const atOnce = await on(observed, 1, single);
  expect(atOnce.apart).toBe(one.merges);
  expect(atOnce.result).toEqual(alone.result);
});

test("derivatives read them too, and differ by no more than the order of sums", async () => {
  const { observed, family } = await largeFamily();
  await using _ = family;
  const rows = randomPrompts(12).map((prompt) => ({ prompts: [prompt], derivative }));
  const gradient = (): Promise<GenerationGradient> => family.scorer.gradient([recipe], rows);
  const one = await on(observed, 1, gradient);
  const two = await on(observed, 2, gradient);
  // On the way forward, and on the way back, where derivatives read differences once more.
  expect([one.apart, two.apart]).toEqual([0, (2 / 3) * one.merges]);
  expect(two.result.logLikelihoods).toEqual(one.result.logLikelihoods);
  const [expected, found] = [one, two].map(({ result }) => slopesOf(result));
  expect(expected!.length).toBeGreaterThan(0);
  for (const [i, slope] of found!.entries()) expect(Math.abs(slope / expected![i]! - 1)).toBeLessThan(1e-3);
});

function derivative(values: readonly ArrayLike<number>[]): readonly number[][] {
  return values.map((own) => Array.from(own, () => -1));
}

function slopesOf({ derivatives: [own = {}] }: GenerationGradient): number[] {
  return Object.values(own).flatMap((byParameter) =>
    Object.values(byParameter).flatMap((byExpert) => byExpert.flatMap((slopes) => [...slopes])),
  );
}

test("nothing of them stays where one fails", async () => {
  const { observed, family } = await largeFamily();
  await using _ = family;
  const before = device.memory.bytes;
  observed.before = (call) => {
    if (call === "run" && observed.mergedApart > 1) throw new Error("broken");
  };
  observed.mergedApart = 0;
  observed.concurrency = 2;
  try {
    await expect(family.scorer.score([recipe], randomPrompts(12))).rejects.toThrow("broken");
  } finally {
    observed.before = () => {};
  }
  expect(device.memory.bytes).toBe(before);
});
