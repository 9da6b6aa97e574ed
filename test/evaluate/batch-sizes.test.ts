import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computedTokens, firstBatches, paddedTokens, totalTokens } from "../../src/evaluate/batch-sizes.ts";
import { packedTokens, packPrompts, type PackedBatch } from "../../src/evaluate/pack.ts";
import { placesOfTokens, placeTokens } from "../../src/evaluate/place-tokens.ts";
import { randomPrompts } from "./tiny-family.ts";

const drawn = fc
  .record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 30 }), batchTokens: fc.integer({ min: 1, max: 800 }) })
  .map(({ seed, count, batchTokens }) => {
    const prompts = randomPrompts(count, { seed });
    return { prompts, batchTokens, batches: packPrompts(prompts, { batchTokens, windows: {} }) };
  });

/** That layers have of a batch on a device. */
function placed(batch: PackedBatch): number {
  return placeTokens(placesOfTokens(batch), paddedTokens(batch)).placeOf.length;
}

describe("tokens of batches", () => {
  test("are counted as layers compute them, before they are packed too", () => {
    fc.assert(
      fc.property(drawn, ({ prompts, batchTokens, batches }) => {
        expect(batches.map(computedTokens)).toEqual(batches.map(placed));
        expect(packedTokens(prompts, { batchTokens })).toBe(totalTokens(batches, placed));
      }),
    );
  });

  test("are fewer than with their padding where sequences differ much", () => {
    const batch = { sequences: 3, length: 48, counts: [48, 10, 10] };
    expect([computedTokens(batch), paddedTokens(batch)]).toEqual([80, 144]);
    expect(computedTokens({ ...batch, counts: [48, 48, 40] })).toBe(144);
    expect(computedTokens({ ...batch, source: { length: 16 } })).toBe(192);
  });
});

describe("the first batches", () => {
  const batches = [
    { sequences: 2, length: 64, counts: [64, 10] },
    { sequences: 2, length: 48, counts: [48, 10] },
    { sequences: 2, length: 32, counts: [32, 10] },
  ];

  test.each([
    { padded: 400, computed: 400, count: 3 },
    { padded: 224, computed: 400, count: 2 },
    { padded: 223, computed: 400, count: 1 },
    { padded: 400, computed: 144, count: 2 },
    { padded: 400, computed: 143, count: 1 },
    { padded: 0, computed: 0, count: 1 },
  ])("of at most $padded tokens with padding and $computed computed: $count", ({ count, ...most }) => {
    expect(firstBatches(batches, most)).toEqual(batches.slice(0, count));
  });
});
