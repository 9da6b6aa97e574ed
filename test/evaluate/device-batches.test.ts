import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { Expression } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { DeviceBatches } from "../../src/evaluate/device-batches.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { packPrompts } from "../../src/evaluate/pack.ts";
import type { TokenBatch } from "../../src/model/token-batch.ts";
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

/** The places of the tokens that are read, in their order. */
async function placesRead({ reads, placing }: TokenBatch): Promise<number[]> {
  const placeOf = placing && (await integersOf(placing.placeOf));
  return (await integersOf(reads!.tokens)).map((token) => placeOf?.[token] ?? token);
}

describe("DeviceBatches", () => {
  test("takes as many targets together as the logits of their vocabulary allow, in whole vectors", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const packed = packPrompts(randomPrompts(20), { batchTokens: 160, windows: { causal: Infinity } });
    expect(Math.max(...packed.map(({ targets }) => targets.length))).toBeGreaterThan(16);
    const before = device.memory.bytes;
    const batches = await DeviceBatches.upload(device, { ...family.model, vocabularySize: 2 ** 22 }, packed);
    for (const [index, { targets }] of packed.entries()) {
      const batch = batches.batches[index]!;
      const reads = await placesRead(batch);
      const read = new Set(targets.map(({ row }) => row));
      expect(reads.length % 16).toBe(0);
      expect(new Set(reads)).toEqual(read);
      const slices = batches.targets[index]!;
      expect(slices.flat()).toEqual(targets);
      expect(slices).toHaveLength(Math.ceil(targets.length / 16));
      expect(batch.targets).toHaveLength(slices.length);
      for (const [i, { rows, tokens }] of batch.targets.entries()) {
        const slice = slices[i]!;
        const asked = { rows: await integersOf(rows), tokens: await integersOf(tokens!) };
        expect(asked.rows).toHaveLength(16);
        expect(asked.tokens).toHaveLength(16);
        const own = asked.rows.slice(0, slice.length).map((place) => reads[place]);
        expect(own).toEqual(slice.map(({ row }) => row));
        expect(asked.tokens.slice(0, slice.length)).toEqual(slice.map(({ token }) => token));
      }
    }
    batches.free();
    expect(device.memory.bytes).toBe(before);
  });

  test("has no row alone of a batch of which one is read", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const prompts = [{ context: Int32Array.of(1, 2, 3), continuations: [Int32Array.of(4), Int32Array.of(5)] }];
    const packed = packPrompts(prompts, { batchTokens: 40, windows: { causal: Infinity } });
    const batches = await DeviceBatches.upload(device, family.model, packed);
    expect(await integersOf(batches.batches[0]!.reads!.tokens)).toEqual(Array.from({ length: 16 }, () => 2));
    const [targets] = batches.batches[0]!.targets;
    expect(await integersOf(targets!.rows)).toEqual(Array.from({ length: 16 }, () => 0));
    expect(await integersOf(targets!.tokens!)).toEqual([4, ...Array.from({ length: 15 }, () => 5)]);
    batches.free();
  });

  test("scores do not depend on how many targets are taken together", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { resident: true });
    const { model, parents } = family;
    const score = async (vocabularySize: number): Promise<number[]> => {
      const options = { device, model: { ...model, vocabularySize }, parents, base: "base", experts, batchTokens: 160 };
      const { logLikelihoods } = await new GenerationScorer(options).score(distinctRecipes(2, 2), randomPrompts(20));
      return logLikelihoods.flat().flatMap((values) => [...values]);
    };
    const together = await score(40);
    for (const [i, value] of (await score(2 ** 21)).entries()) expect(value).toBeCloseTo(together[i]!, 5);
    for (const [i, value] of (await score(2 ** 27)).entries()) expect(value).toBeCloseTo(together[i]!, 5);
  });
});
