import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dealShares, roundsFor } from "../../src/workers/deal.ts";

const tokens = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 });
const counts = fc.integer({ min: 1, max: 30 });
const rounds = fc.integer({ min: 1, max: 2 });

describe("dealShares", () => {
  test("deals every candidate on every batch once, and no empty share", () => {
    fc.assert(
      fc.property(counts, tokens, counts, rounds, (candidates, batches, workers, times) => {
        const shares = dealShares(candidates, batches, workers, times);
        const dealt = shares.flatMap((share) =>
          share.candidates.flatMap((candidate) => share.batches.map((batch) => `${candidate} ${batch}`)),
        );
        const all = [...Array(candidates).keys()].flatMap((c) => batches.map((_, batch) => `${c} ${batch}`));
        expect(dealt.toSorted()).toEqual(all.toSorted());
        expect(shares.every((share) => share.candidates.length * share.batches.length > 0)).toBe(true);
      }),
    );
  });

  test("gives a share neighbouring batches, which make the same batches alone", () => {
    fc.assert(
      fc.property(counts, tokens, counts, rounds, (candidates, batches, workers, times) => {
        for (const { batches: own } of dealShares(candidates, batches, workers, times))
          expect(own).toEqual(own.map((_, i) => own[0]! + i));
      }),
    );
  });

  test("divides candidates by batches only where each worker has as many whole ones", () => {
    const batches = [100, 100, 100, 100];
    const [all, front, back] = [
      [0, 1, 2, 3],
      [0, 1],
      [2, 3],
    ];
    expect(dealShares(9, batches, 2, 2)).toEqual([
      { candidates: [0, 1], batches: all },
      { candidates: [2, 3], batches: all },
      { candidates: [4, 5], batches: all },
      { candidates: [6, 7], batches: all },
      { candidates: [8], batches: front },
      { candidates: [8], batches: back },
    ]);
    expect(dealShares(9, batches, 2, 1)).toEqual([
      { candidates: [0, 1, 2, 3], batches: all },
      { candidates: [4, 5, 6, 7], batches: all },
      { candidates: [8], batches: front },
      { candidates: [8], batches: back },
    ]);
    expect(dealShares(1, batches, 1, 2)).toEqual([{ candidates: [0], batches: all }]);
    expect(dealShares(1, [100], 3, 2)).toEqual([{ candidates: [0], batches: [0] }]);
  });

  test("lets two workers that take the next share when they are done end at about the same time", () => {
    fc.assert(
      fc.property(counts, rounds, (candidates, times) => {
        const ideal = 20 * candidates;
        expect(timeOfTwo(candidates, times, 1) / ideal).toBeLessThan(1.35);
      }),
    );
  });

  test("has a second round for workers that it helps alone", () => {
    for (const spread of [1, 1.5, 1.9]) {
      expect(roundsFor(spread)).toBe(1);
      expect(timeOfTwo(8, 1, spread)).toBe(timeOfTwo(8, 2, spread));
    }
    for (const spread of [2.1, 3, 5]) {
      expect(roundsFor(spread)).toBe(2);
      expect(timeOfTwo(8, 2, spread)).toBeLessThan(timeOfTwo(8, 1, spread));
    }
  });
});

/** Until when two workers score, one of which is so many times slower, and each of which takes the next share when it is done. */
function timeOfTwo(candidates: number, rounds: number, slower: number): number {
  const batches = Array.from({ length: 40 }, () => 1);
  const busy = [0, 0];
  for (const share of dealShares(candidates, batches, 2, rounds)) {
    const next = busy[0]! <= busy[1]! ? 0 : 1;
    busy[next]! += share.candidates.length * share.batches.length * [1, slower][next]!;
  }
  return Math.max(...busy);
}
