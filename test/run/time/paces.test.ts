import { expect, test } from "vitest";
import type { JournalRecord, RecordedTime } from "../../../src/journal/records.ts";
import { knownPace, pacesOf } from "../../../src/run/time/paces.ts";

const work = { models: 5, tokens: 10_000, passes: 1 };

function result(generation: number, slowness: number, hasGradients = false): JournalRecord {
  const time: RecordedTime = { ...work, ms: slowness * 20_000, waitMs: 0 };
  const rowLosses = { offset: 0, count: 0, checksum: "" };
  const gradients = hasGradients ? { gradients: rowLosses } : {};
  const told = { generation, losses: [1], reference: 0, rowLosses, ...gradients, work: 1, spent: 0 };
  return { type: "result", ...told, time, elapsedMs: 1 };
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

test("gradients have a pace of their own, and are taken for four scorings before the first", () => {
  const before = knownPace(pacesOf([result(0, 1)], true), "gradient");
  expect(before.times * before.pace.expectedMs(work)).toBeCloseTo(80_000);
  const paces = pacesOf([result(0, 1), result(1, 3, true)], true);
  const { pace, times } = knownPace(paces, "gradient");
  expect(times * pace.expectedMs(work)).toBeCloseTo(60_000);
  expect(paces.evaluator.expectedMs(work)).toBeCloseTo(20_000);
});
