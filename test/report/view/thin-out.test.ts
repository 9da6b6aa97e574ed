import * as fc from "fast-check";
import { expect, test } from "vitest";
import { recordsBy, thinOut } from "../../../src/report/view/thin-out.ts";

test("a long list is thinned to so many, in order, with its first and last item", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 0, max: 400 }), (most, length) => {
      const items = Array.from({ length }, (_, i) => i);
      const thinned = thinOut(items, most);
      expect(thinned).toHaveLength(Math.min(most, length));
      expect(thinned).toEqual([...new Set(thinned)].toSorted((a, b) => a - b));
      expect([thinned[0], thinned.at(-1)]).toEqual([items[0], items.at(-1)]);
      const steps = thinned.slice(1).map((item, i) => item - thinned[i]!);
      if (length > most) expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1);
    }),
  );
});

test("records are those that are less than all before", () => {
  expect(recordsBy([3, 3, 2, 4, Number.NaN, 1, 1], (value) => value)).toEqual([3, 2, 1]);
});
