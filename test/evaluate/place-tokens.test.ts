import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packPrompts, type PackedBatch } from "../../src/evaluate/pack.ts";
import { placeReads, placesOfTokens, placeTokens } from "../../src/evaluate/place-tokens.ts";
import { randomPrompts } from "./tiny-family.ts";

const batches = fc
  .record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 30 }), batchTokens: fc.integer({ min: 1, max: 800 }) })
  .map(({ seed, count, batchTokens }) =>
    packPrompts(randomPrompts(count, { seed }), { batchTokens, windows: { causal: Infinity } }),
  );

/** Each batch of many draws. */
function eachBatch(check: (batch: PackedBatch) => void): void {
  fc.assert(fc.property(batches, (drawn) => drawn.forEach(check)));
}

describe("placeTokens", () => {
  test("has each wanted place once, in whole vectors, and padding of less than a twentieth or one vector", () => {
    const wanted = fc.integer({ min: 1, max: 40 }).chain((vectors) =>
      fc.record({
        places: fc.constant(16 * vectors),
        wanted: fc.uniqueArray(fc.nat(16 * vectors - 1), { minLength: 1, maxLength: 16 * vectors }),
      }),
    );
    fc.assert(
      fc.property(wanted, ({ places, wanted }) => {
        const { placeOf, tokenAt } = placeTokens(wanted, places);
        expect(new Set(placeOf).size).toBe(placeOf.length);
        expect(placeOf.length % 16).toBe(0);
        expect(placeOf.length - wanted.length).toBeLessThanOrEqual(Math.max(16, 0.05 * places + 16));
        if (!tokenAt) {
          expect([...placeOf]).toEqual([...Array(places).keys()]);
          return;
        }
        expect([...placeOf.subarray(0, wanted.length)]).toEqual(wanted);
        expect(placeOf.length).toBeLessThan(places);
        for (const [token, place] of placeOf.entries()) expect(tokenAt[place]).toBe(token);
        const others = [...tokenAt].filter((_, place) => !wanted.includes(place));
        expect(Math.min(...others)).toBe(wanted.length);
      }),
    );
  });

  test("computes padding that is too little to be worth leaving out", () => {
    const all = [...Array(320).keys()];
    expect(placeTokens(all.slice(0, 303), 320)).toEqual({
      placeOf: Int32Array.from(all.slice(0, 304)),
      tokenAt: expect.anything(),
    });
    expect(placeTokens(all.slice(0, 304), 320)).toEqual({ placeOf: Int32Array.from(all) });
  });
});

describe("placesOfTokens", () => {
  test("are those at which a token sees more than itself, or is first", () => {
    eachBatch((batch) => {
      const { length, masks, positions } = batch;
      const tokens = [...positions["every"]!.keys()].filter((place) => {
        const seen = masks["causal"]!.subarray(place * length, (place + 1) * length);
        return place % length === 0 || seen.filter((value) => value === 0).length > 1;
      });
      expect(placesOfTokens(batch)).toEqual(tokens);
    });
  });
});

describe("placeReads", () => {
  test("has what is read of each sequence in a sequence of its own, no longer than the batch's", () => {
    eachBatch((batch) => {
      const { length, placeOf, places } = placeReads(batch);
      const read = new Set(batch.targets.map(({ row }) => row));
      expect(length % 16).toBe(0);
      expect(length).toBeLessThanOrEqual(batch.length);
      expect(places).toHaveLength(batch.sequences * length);
      for (const [own, place] of places.entries()) {
        expect(read.has(place)).toBe(true);
        expect(Math.floor(place / batch.length)).toBe(Math.floor(own / length));
      }
      expect(new Set(Array.from(placeOf, (own) => places[own]!))).toEqual(read);
    });
  });
});
