import { expect, test } from "vitest";
import { noiseOf } from "../../src/tensor/noise.ts";

const COUNT = 2 ** 18;

test("noise is uniform, and neighbours and other keys tell nothing of it", async () => {
  const [one, other] = [await noiseOf(1, 2, COUNT), await noiseOf(1, 3, COUNT)];
  const counts = Array.from({ length: 64 }, () => 0);
  for (const value of one) counts[Math.floor(64 * value)]! += 1;
  const chiSquare = counts.reduce((sum, count) => sum + (count - COUNT / 64) ** 2 / (COUNT / 64), 0);
  // 63 degrees of freedom: five standard deviations to either side.
  expect(chiSquare).toBeGreaterThan(63 - 5 * Math.sqrt(126));
  expect(chiSquare).toBeLessThan(63 + 5 * Math.sqrt(126));
  const correlation = (of: (i: number) => number): number =>
    12 * (one.reduce((sum, value, i) => sum + (value - 0.5) * (of(i) - 0.5), 0) / COUNT);
  for (const lag of [1, 2, 64, 4096])
    expect(Math.abs(correlation((i) => one[(i + lag) % COUNT]!))).toBeLessThan(5 / Math.sqrt(COUNT));
  expect(Math.abs(correlation((i) => other[i]!))).toBeLessThan(5 / Math.sqrt(COUNT));
});

test("noise of a recipe stays what it is", async () => {
  // As the starter kit's Python makes it; published recipes depend on it.
  expect([...(await noiseOf(0x01234567, -1, 4))]).toEqual([
    0.08617532253265381, 0.38996100425720215, 0.5420758724212646, 0.9451452493667603,
  ]);
});
