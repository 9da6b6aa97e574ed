import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Standing } from "../../../src/journal/standing.ts";
import { ShortNames } from "../../../src/report/view/short-text.ts";
import { frontOf, taskPairs } from "../../../src/report/view/task-pairs.ts";

const point = fc.record({ x: fc.integer({ min: 0, max: 9 }), y: fc.integer({ min: 0, max: 9 }) });

test("the front has every point that none beats, and no other", () => {
  fc.assert(
    fc.property(fc.array(point, { maxLength: 30 }), (points) => {
      const unbeaten = points.filter(
        (own) => !points.some(({ x, y }) => x <= own.x && y <= own.y && (x < own.x || y < own.y)),
      );
      const expected = new Set(unbeaten.map(({ x, y }) => `${x} ${y}`));
      const front = frontOf(points).map(({ x, y }) => `${x} ${y}`);
      expect(front).toHaveLength(expected.size);
      expect(new Set(front)).toEqual(expected);
    }),
  );
});

const scores = { a: { loss: 1 }, b: { loss: 2 }, c: { loss: 3 } };
const baselines = {
  models: [{ name: "base", scores, loss: 1, rows: {}, recipe: { method: "passthrough", model: "base" } }],
  skipped: [],
  scales: { a: 1, b: 1, c: 1 },
  elapsedMs: 1,
} satisfies Standing["baselines"];

test("of three tasks each is shown against each other", () => {
  const candidates = [{ losses: { a: 0.5, b: 0.25, c: 0.75 } }, { losses: { a: Number.NaN, b: 1, c: 1 } }];
  const pairs = taskPairs(candidates, { baselines }, new ShortNames());
  expect(pairs.map(({ tasks }) => tasks)).toEqual([
    ["a", "b"],
    ["a", "c"],
    ["b", "c"],
  ]);
  expect(pairs[0]?.candidates).toEqual([{ x: 0.5, y: 0.25 }]);
  expect(pairs[2]?.candidates).toHaveLength(2);
  expect(pairs[0]?.models).toEqual([{ name: "base", x: 1, y: 2 }]);
});

test("of one task there is no pair", () => {
  expect(taskPairs([], { baselines: { ...baselines, scales: { a: 1 } } }, new ShortNames())).toEqual([]);
});
