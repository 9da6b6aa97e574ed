import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedResults } from "../../src/cli/ordered-results.ts";

test("results are told in order and as soon as they can be, and at the end those that wait for missing ones", () => {
  const arrivals = fc.uniqueArray(fc.nat(11), { maxLength: 12 });
  fc.assert(
    fc.property(arrivals, (arrived) => {
      const told: number[] = [];
      const results = new OrderedResults<string>(12, (index, result) => {
        expect(result).toBe(`result ${index}`);
        told.push(index);
      });
      for (const [i, index] of arrived.entries()) {
        results.add(index, `result ${index}`);
        const here = new Set(arrived.slice(0, i + 1));
        const first = Array.from({ length: 13 }, (_, number) => number).find((number) => !here.has(number));
        expect(told).toEqual(Array.from({ length: first ?? 0 }, (_, number) => number));
      }
      expect(results.end()).toBe(12 - arrived.length);
      expect(told).toEqual(arrived.toSorted((a, b) => a - b));
    }),
  );
});
