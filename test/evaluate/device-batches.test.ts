import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { Expression } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { DeviceBatches } from "../../src/evaluate/device-batches.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { packPrompts } from "../../src/evaluate/pack.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { distinctRecipes, experts, openTinyFamily, randomPrompts } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

async function integersOf(expression: Expression): Promise<number[]> {
  if (expression.op !== "input") throw new Error(`expected an input, found ${expression.op}`);
  const bytes = await device.read(expression.tensor);
  return [...new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

describe("DeviceBatches", () => {
  test("takes as many targets together as the logits of their vocabulary allow", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const packed = packPrompts(randomPrompts(6), { batchTokens: 40, windows: { causal: Infinity } });
    const before = device.memory.bytes;
    const batches = await DeviceBatches.upload(device, { ...family.model, vocabularySize: 2 ** 24 }, packed);
    for (const [index, { targets }] of packed.entries()) {
      const batch = batches.batches[index]!;
      const reads = await integersOf(batch.reads);
      expect(new Set(reads).size).toBe(reads.length);
      const slices = batches.targets[index]!;
      expect(slices.flat()).toEqual(targets);
      expect(slices).toHaveLength(Math.ceil(targets.length / 4));
      expect(batch.targets).toHaveLength(slices.length);
      for (const [i, { rows, tokens }] of batch.targets.entries()) {
        const slice = slices[i]!;
        expect(slice.length).toBeLessThanOrEqual(4);
        expect((await integersOf(rows)).map((place) => reads[place])).toEqual(slice.map(({ row }) => row));
        expect(await integersOf(tokens)).toEqual(slice.map(({ token }) => token));
      }
    }
    batches.free();
    expect(device.memory.bytes).toBe(before);
  });

  test("has two rows read of a batch of which one is", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const prompts = [{ context: Int32Array.of(1, 2, 3), continuations: [Int32Array.of(4), Int32Array.of(5)] }];
    const packed = packPrompts(prompts, { batchTokens: 40, windows: { causal: Infinity } });
    const batches = await DeviceBatches.upload(device, family.model, packed);
    expect(await integersOf(batches.batches[0]!.reads)).toEqual([2, 0]);
    expect(await integersOf(batches.batches[0]!.targets[0]!.rows)).toEqual([0, 0]);
    batches.free();
  });

  test("scores do not depend on how many targets are taken together", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { resident: true });
    const { model, parents } = family;
    const score = async (vocabularySize: number): Promise<number[]> => {
      const options = { device, model: { ...model, vocabularySize }, parents, base: "base", experts, batchTokens: 64 };
      const { logLikelihoods } = await new GenerationScorer(options).score(distinctRecipes(2, 2), randomPrompts(6));
      return logLikelihoods.flat().flatMap((values) => [...values]);
    };
    const together = await score(40);
    for (const [i, value] of (await score(2 ** 25)).entries()) expect(value).toBeCloseTo(together[i]!, 5);
    for (const [i, value] of (await score(2 ** 27)).entries()) expect(value).toBeCloseTo(together[i]!, 5);
  });
});
