import { expect, test } from "vitest";
import type { JournalRecord, RecordedTime } from "../../src/journal/records.ts";
import { pacesOf } from "../../src/run/paces.ts";

const work = { models: 5, tokens: 10_000, passes: 1 };

function result(generation: number, slowness: number): JournalRecord {
  const time: RecordedTime = { ...work, ms: slowness * 20_000, waitMs: 0 };
  const rowLosses = { offset: 0, count: 0, checksum: "" };
  return { type: "result", generation, losses: [1], meanLoss: 1, rowLosses, time, elapsedMs: 1 };
}

test("a resumed run knows the slowest moment of its earlier sittings", () => {
  const records = [1, 1, 1, 6, 1, 1].map((slowness, generation) => result(generation, slowness));
  const { evaluator } = pacesOf(records, true);
  expect(evaluator.slowestMs(work)).toBeGreaterThan(3 * evaluator.expectedMs(work));
});

test("what steers the search has a pace of its own, where another evaluator does it", () => {
  const { evaluator, signal } = pacesOf([result(0, 1)], false);
  expect(evaluator.isKnown).toBe(false);
  expect(signal.expectedMs(work)).toBeCloseTo(20_000);
});
