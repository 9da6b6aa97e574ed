import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { computedTokens } from "../../src/evaluate/batch-sizes.ts";
import { packPrompts, packedTokens, type Prompt } from "../../src/evaluate/pack.ts";
import { promptsOf } from "../../src/evaluate/prompt.ts";
import { uniformRecipe, type Recipe } from "../../src/merge/recipe.ts";
import type { Model } from "../../src/model/architecture.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";
import { experts, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

/** A tiny T5 and two experts of it. */
async function openFamily(): Promise<TinyFamily> {
  return openTinyFamily(await temporaryFolder(), device, { model: { config: tinyT5Config() } });
}

const START = 7;
const limits = { ...tinyT5(), maxLength: 20, encoding: { ...tinyT5().encoding!, startToken: START } };
const row: TaskRow = { id: "r", kind: "text", context: "", continuations: [], label: 0, passage: "", group: "" };
const ids = (count: number, first = 1): Int32Array => Int32Array.from({ length: count }, (_, i) => first + i);

/** Random prompts for an encoder and a decoder. */
function pairs(count: number, seed: number): Prompt[] {
  return randomPrompts(count, { seed }).map(({ context, continuations }) => ({
    source: context,
    context: Int32Array.of(0),
    continuations,
  }));
}

function mixed(model: Model, weight: number): Recipe {
  return uniformRecipe("task_arithmetic", { a: weight, b: 1 - weight }, model.groups);
}

describe("rows for an encoder and a decoder", () => {
  test("are one prompt, whose continuations begin with the start token behind what the encoder reads", () => {
    const continuations = [ids(3, 20), ids(1, 30)];
    const { prompts, isCut, ...others } = promptsOf(row, { context: ids(9), continuations }, limits);
    expect(prompts).toEqual([{ source: ids(9), context: Int32Array.of(START), continuations }]);
    expect({ isCut, ...others }).toEqual({ isCut: false, continuations: [[0, 1]] });
  });

  test("lose the beginning of a context that is longer than the window, whatever their answers take", () => {
    const { prompts, isCut } = promptsOf(row, { context: ids(23), continuations: [ids(20)] }, limits);
    expect(prompts[0]!.source).toEqual(ids(20, 4));
    expect(isCut).toBe(true);
  });

  test("are refused where an answer is longer than the window, or a token is not the model's", () => {
    expect(() => promptsOf(row, { context: ids(3), continuations: [ids(21)] }, limits)).toThrow(
      "an answer takes 21 tokens, more than the model's window of 20; remove the row",
    );
    expect(() => promptsOf(row, { context: Int32Array.of(40), continuations: [ids(2)] }, limits)).toThrow(
      "its token 40 is not among the model's 40 embeddings",
    );
  });
});

describe("batches for an encoder and a decoder", () => {
  test("hold every context once, and let the decoder's tokens see all of their own", () => {
    const settings = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 6 }), batchTokens: fc.nat(150) });
    fc.assert(
      fc.property(settings, ({ seed, count, batchTokens }) => {
        const prompts = pairs(count, seed);
        const batches = packPrompts(prompts, { batchTokens, ...tinyT5() });
        expect(batches.reduce((sum, batch) => sum + computedTokens(batch), 0)).toBe(
          packedTokens(prompts, { batchTokens }),
        );
        for (const { sequences, length, source, targets } of batches) {
          if (sequences > 1) expect(sequences * (length + source!.length)).toBeLessThanOrEqual(batchTokens);
          const members = new Map(targets.map(({ prompt, row }) => [Math.floor(row / length), prompt]));
          expect(members.size).toBe(sequences);
          for (const [sequence, prompt] of members) {
            const context = prompts[prompt]!.source!;
            const first = sequence * source!.length;
            expect(source!.tokens.subarray(first, first + context.length)).toEqual(context);
            const open = Array.from({ length: source!.length }, (_, i) => (i < context.length ? 0 : -Infinity));
            for (let at = 0; at < length; at += 1) {
              const begin = (sequence * length + at) * source!.length;
              expect([...source!.seen.subarray(begin, begin + source!.length)]).toEqual(open);
            }
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("bucket distances within each continuation, which begins anew behind the start token", () => {
    const prompt = { source: ids(2), context: Int32Array.of(0), continuations: [ids(3), ids(3)] };
    const [batch] = packPrompts([prompt], { batchTokens: 64, ...tinyT5() });
    const { targetBucket } = tinyT5().encoding!;
    const { length, source } = batch!;
    // Places: start, then two read tokens of each continuation.
    const positions = [0, 1, 2, 1, 2];
    for (const [from, at] of positions.entries())
      for (const [to, seen] of positions.entries())
        expect(source!.targetDistances[from * length + to]).toBe(targetBucket(seen - at));
  });
});

describe("an encoder and a decoder", () => {
  test("score packed and padded prompts as each continuation alone", async () => {
    await using family = await openFamily();
    const { model, parents } = family;
    const score = async (prompts: readonly Prompt[], batchTokens: number): Promise<number[]> => {
      const scorer = new GenerationScorer({ device, model, parents, base: "base", experts, batchTokens });
      const { logLikelihoods } = await scorer.score([mixed(model, 0.7)], prompts);
      return logLikelihoods[0]!.flatMap((values) => [...values]);
    };
    const settings = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 5 }), batchTokens: fc.nat(150) });
    await fc.assert(
      fc.asyncProperty(settings, async ({ seed, count, batchTokens }) => {
        const prompts = pairs(count, seed);
        const alone: number[] = [];
        for (const { continuations, ...shared } of prompts)
          for (const own of continuations) alone.push(...(await score([{ ...shared, continuations: [own] }], 1)));
        for (const [i, value] of (await score(prompts, batchTokens)).entries())
          expect(Math.abs(value - alone[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
      }),
      { numRuns: 8 },
    );
  });

  test("give a candidate the same bits whatever else is in its generation, and all a digest of their own weights", async () => {
    await using family = await openFamily();
    const { model, scorer } = family;
    const prompts = pairs(4, 3);
    const recipes = [mixed(model, 0.2), mixed(model, 0.9), { method: "passthrough", model: "b" } as const];
    const together = await scorer.score(recipes, prompts);
    const digests = new Set<string | undefined>();
    for (const [i, recipe] of recipes.entries()) {
      const { logLikelihoods, digest } = await scorer.score([recipe], prompts, { digestOf: 0 });
      expect(logLikelihoods[0]).toEqual(together.logLikelihoods[i]);
      digests.add(digest);
    }
    expect(digests.size).toBe(3);
  });

  test("leave nothing on the device", async () => {
    await using family = await openFamily();
    const { bytes } = device.memory;
    await family.scorer.score([mixed(family.model, 0.4)], pairs(3, 5));
    const rows = pairs(2, 6).map((prompt) => ({
      prompts: [prompt],
      derivative: ([values]: readonly Float64Array[]) => [values!.map(() => 1)],
    }));
    await family.scorer.gradient([mixed(family.model, 0.4)], rows);
    expect(device.memory.bytes).toBe(bytes);
  });
});
