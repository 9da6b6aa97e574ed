import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream, xoshiro128StarStar } from "../../src/tensor/random.ts";

const draw = (stream: RandomStream, count: number): number[] => Array.from({ length: count }, () => stream.uniform());

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("random streams", () => {
  test("the generator gives the values of the reference implementation of xoshiro128** 1.1", () => {
    // xoshiro128starstar.c of https://prng.di.unimi.it, state 1 2 3 4; the same values test the Rust crate rand_xoshiro.
    const state = Uint32Array.of(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => xoshiro128StarStar(state))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("a stream is pinned: recorded runs depend on these numbers", () => {
    const stream = RandomStream.of(1, "pinned", 2);
    const drawn = [stream.uniform(), stream.normal(), stream.normal(), stream.integer(1000)];
    expect(drawn).toEqual([0.14609285715340914, 0.38869071705938246, -1.17324681626486, 28]);
  });

  test("the same seed and path give the same stream", () => {
    expect(draw(RandomStream.of(7, "a", 1), 20)).toEqual(draw(RandomStream.of(7, "a", 1), 20));
  });

  test("streams differ when the seed, a part of the path, its type or the division into parts differ", () => {
    const paths: (readonly (string | number)[])[] = [[], ["a"], ["a", 1], ["a", "1"], ["a1"], ["a", 1, ""], [1, "a"]];
    const firsts = [7, 8].flatMap((seed) => paths.map((path) => RandomStream.of(seed, ...path).uniform()));
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  test("uniform numbers lie in [0, 1) and use 53 bits", () => {
    const values = draw(RandomStream.of(3, "uniform"), 20_000);
    expect(values.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 53))).toBe(true);
    expect(values.some((value) => !Number.isInteger(value * 2 ** 52))).toBe(true);
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / values.length));
  });

  test("normal numbers have the moments and tails of the standard normal", () => {
    const stream = RandomStream.of(3, "normal");
    const count = 40_000;
    const values = Array.from({ length: count }, () => stream.normal());
    const moment = (power: number): number => mean(values.map((value) => value ** power));
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / count;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(4 * Math.sqrt((0.0455 * 0.9545) / count));
  });

  test("neighbouring streams are not correlated", () => {
    const count = 20_000;
    const a = draw(RandomStream.of(1, "row", 1), count);
    const b = draw(RandomStream.of(1, "row", 2), count);
    expect(Math.abs(mean(a.map((value, i) => 12 * (value - 0.5) * (b[i]! - 0.5))))).toBeLessThan(4 / Math.sqrt(count));
  });

  test("integer(n) takes every value below n equally often", () => {
    const stream = RandomStream.of(3, "integer");
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[stream.integer(5)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chiSquare).toBeLessThan(18.5); // p = 0.001 with 4 degrees of freedom
  });

  test("shuffle returns a permutation and leaves its argument alone", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const before = [...items];
        const shuffled = RandomStream.of(seed).shuffle(items);
        expect(items).toEqual(before);
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
      }),
    );
  });

  test("every order of three items is equally likely", () => {
    const stream = RandomStream.of(3, "shuffle");
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = stream.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(6);
    expect(chiSquare).toBeLessThan(20.5); // p = 0.001 with 5 degrees of freedom
  });

  test("sample takes k different items and refuses to take more than there are", () => {
    const items = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const taken = RandomStream.of(5).sample(items, 3);
    expect(new Set(taken).size).toBe(3);
    expect(items).toEqual(expect.arrayContaining(taken));
    expect(() => RandomStream.of(5).sample(items, 9)).toThrow("Cannot sample 9 of 8 items");
  });
});
