import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lossScale, partAt, sideLabels, valueAt } from "../../../src/report/plots/loss-scale.ts";

const losses = fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 20 });

test("a scale has room for all values, and finds them again", () => {
  fc.assert(
    fc.property(losses, (values) => {
      const scale = lossScale(values);
      for (const value of values) {
        const part = partAt(scale, value);
        expect(part).toBeGreaterThan(0);
        expect(part).toBeLessThan(1);
        expect(valueAt(scale, part) / value).toBeCloseTo(1, 6);
      }
    }),
    { examples: [[[1e-6, 1.0000000000000002e-6]], [[1e6, 999_999.9]]] },
  );
});

test("losses of several magnitudes are on a logarithm, and others not, nor is 0", () => {
  expect(lossScale([0.01, 1]).type).toBe("log");
  expect(lossScale([0.5, 1]).type).toBe("linear");
  expect(lossScale([0, 1]).type).toBe("linear");
});

test("labels at the side do not cover each other, keep their order, and stay beside the axis", () => {
  fc.assert(
    fc.property(losses, (values) => {
      const scale = lossScale(values);
      const labels = sideLabels(
        values.map((value, i) => ({ name: String(i), value })),
        scale,
        260,
      );
      const parts = labels.map(({ place }) => partAt(scale, place));
      const gap = Math.min(15 / 260, 1 / Math.max(1, values.length - 1));
      for (const [i, part] of parts.entries()) {
        if (i > 0) expect(part - parts[i - 1]!).toBeGreaterThan(gap - 1e-6);
        expect(part).toBeLessThan(1 + 1e-6);
        expect(part).toBeGreaterThan(-1e-6);
      }
      expect(labels.map(({ value }) => value)).toEqual(values.toSorted((a, b) => a - b));
    }),
  );
});

test("a label that has room is at its value", () => {
  const scale = lossScale([1, 2]);
  const labels = sideLabels(
    [
      { name: "a", value: 1.2 },
      { name: "b", value: 1.8 },
    ],
    scale,
    260,
  );
  for (const { value, place } of labels) expect(place).toBeCloseTo(value, 9);
});
