import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Device } from "../../src/device/device.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { generateTokens, type GrowthOptions } from "../../src/generate/generate-tokens.ts";
import { holdMerge } from "../../src/generate/held-merge.ts";
import { openModel } from "../../src/model/open-model.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { ObservedDevice } from "../evaluate/observed-device.ts";
import { testedEngines } from "../device/tested-engines.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "model");

/** What transformers adds to prompts (test/fixtures/model/make-generations.py). */
const expected = JSON.parse(readFileSync(join(fixtures, "generations.json"), "utf8")) as Record<
  string,
  { readonly prompt: number[]; readonly added: number[] }[]
>;

const noEnd: GrowthOptions = { maxNewTokens: 64, endIds: new Set() };

async function generate(
  device: Device,
  name: string,
  options: GrowthOptions,
  {
    prompts = expected[name]!.map(({ prompt }) => prompt),
    precision = "f32",
  }: { prompts?: readonly number[][]; precision?: Dtype } = {},
): Promise<number[][]> {
  await using checkpoint = await Checkpoint.open(join(fixtures, name));
  const model = openModel(checkpoint, precision);
  await using parents = new ParentWeights(device, new Map([["only", checkpoint]]));
  const merging = { device, model, parents, base: "only", experts: [] };
  const held = await holdMerge(merging, { method: "passthrough", model: "only" }, { precision });
  try {
    const added = await generateTokens(
      held,
      prompts.map((ids) => Int32Array.from(ids)),
      options,
    );
    return added.map((ids) => [...ids]);
  } finally {
    held.free();
  }
}

describe.each(testedEngines)("generateTokens on %s", (_, open) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(Object.keys(expected))("adds the 64 tokens of transformers to prompts of any lengths: %s", async (name) => {
    const before = device.memory.bytes;
    expect(await generate(device, name, noEnd)).toEqual(expected[name]!.map(({ added }) => added));
    expect(device.memory.bytes).toBe(before);
  });

  test("ends a text behind a token that ends it, whatever the others of its batch do", async () => {
    const name = "llama-tied";
    const endIds = new Set(expected[name]!.map(({ added }, i) => added[3 * i]!));
    const upToEnd = (added: readonly number[]): readonly number[] => {
      const end = added.findIndex((id) => endIds.has(id));
      return end < 0 ? added : added.slice(0, end + 1);
    };
    const found = await generate(device, name, { ...noEnd, endIds });
    expect(found).toEqual(expected[name]!.map(({ added }) => upToEnd(added)));
    expect(new Set(found.map(({ length }) => length)).size).toBeGreaterThan(2);
  });

  test("ends a text at the greatest number of tokens, or where the model has no further position", async () => {
    const name = "mistral-window";
    const { prompt, added } = expected[name]![0]!;
    expect(await generate(device, name, { ...noEnd, maxNewTokens: 5 }, { prompts: [prompt] })).toEqual([
      added.slice(0, 5),
    ]);
    const long = Array.from({ length: 250 }, (_, i) => i % 61);
    const [few, one] = await generate(device, name, noEnd, { prompts: [long, [...long, ...long.slice(0, 6)]] });
    // 256 positions: the last token is not read.
    expect([few!.length, one!.length]).toEqual([7, 1]);
  });

  test("goes on behind the positions of an encoder-decoder, which count distances", async () => {
    await using checkpoint = await Checkpoint.open(join(fixtures, "t5"));
    const { maxLength } = openModel(checkpoint, "f32");
    const prompts = expected["t5"]!.slice(0, 1).map(({ prompt }) => prompt);
    const [found] = await generate(device, "t5", { ...noEnd, maxNewTokens: maxLength + 3 }, { prompts });
    expect(found).toHaveLength(maxLength + 3);
  });

  test("ends texts that are said to be over when they are looked at", async () => {
    const seen: number[][] = [];
    const look: GrowthOptions["look"] = async (texts) => {
      seen.push(texts.map(({ added }) => added.length));
      for (const text of texts) text.isOver = text.prompt.length > 5;
    };
    const found = await generate(device, "gemma-2", { ...noEnd, maxNewTokens: 20, look });
    const ends = expected["gemma-2"]!.map(({ prompt, added }) => added.slice(0, prompt.length > 5 ? 8 : 20));
    expect(found).toEqual(ends);
    expect(seen.flat()).toContain(16);
  });

  test("leaves nothing on the device when it is aborted", async () => {
    const before = device.memory.bytes;
    const controller = new AbortController();
    const onProgress = (added: number): void => {
      if (added > 20) controller.abort(new Error("enough"));
    };
    const growing = generate(device, "qwen2-windows", { ...noEnd, signal: controller.signal, onProgress });
    await expect(growing).rejects.toThrow("enough");
    expect(device.memory.bytes).toBe(before);
  });

  test("refuses a model that does not fit as a whole, in a sentence", async () => {
    const { bytes } = device.memory;
    const small = new ObservedDevice(device);
    small.claimed = { capacityBytes: bytes + 20_000 };
    await expect(generate(small, "llama-tied", noEnd)).rejects.toThrow(
      /texts are generated by a model that is there as a whole: expected room for [\d.]+ k?B of weights in f32, found [\d.]+ k?B;/,
    );
    expect(device.memory.bytes).toBe(bytes);
  });
});
