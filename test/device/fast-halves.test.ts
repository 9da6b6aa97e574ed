import { expect, test } from "vitest";
import { isClearlyFaster } from "../../src/device/tfjs/fast-halves.ts";

/** Turns whose f32 product takes as long as the machine's load says, and whose half one a share of that. */
function turns(shares: readonly number[], loads: readonly number[]): { half: number; full: number }[] {
  return shares.map((share, i) => ({ half: share * loads[i]!, full: loads[i]! }));
}

const LOADS = [1, 3, 1, 8, 2, 1, 5];

test("half floats that are nearly as fast as f32 are none, whichever was ahead by chance", () => {
  for (const near of [0.8, 0.98, 1.02]) {
    expect(isClearlyFaster(turns([near, near, near, near, near, near, near], LOADS))).toBe(false);
    // The least of each would call these faster.
    expect(isClearlyFaster(turns([0.7, near, near, near, near, near, near], LOADS))).toBe(false);
  }
});

test("half floats of units of their own are fast, also where other programs held up some turns", () => {
  expect(isClearlyFaster(turns([0.5, 0.5, 4, 0.5, 0.45, 3, 0.5], LOADS))).toBe(true);
});
