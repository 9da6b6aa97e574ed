import { expect, test } from "vitest";
import type { Evaluator } from "../../src/evaluate/evaluator.ts";
import { drawInTime, drawnTasks, type Drawing } from "../../src/experiment/draw-rows.ts";
import type { Task } from "../../src/experiment/load-tasks.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { VirtualClock } from "../virtual-clock.ts";

function rows(side: string, count: number, groupSize = 3): TaskRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${side}${i}`,
    kind: "choice",
    context: "c",
    continuations: [" a", " b"],
    label: i % 2,
    passage: `${side}${i}`,
    group: `${side}${Math.floor(i / groupSize)}`,
  }));
}

const tasks: readonly Task[] = [
  { name: "quiz", weight: 1, search: rows("s", 3000), guard: rows("g", 600) },
  { name: "news", weight: 1, search: rows("n", 300), guard: rows("h", 90) },
];

/** Draws with a tokenizer that takes so many milliseconds for the i-th row. */
async function draw(
  rowMs: number | ((i: number) => number),
  allowedMs: number,
  from = tasks,
): Promise<Drawing & { readonly tookMs: number; readonly seen: number }> {
  const clock = new VirtualClock();
  const seen = new Set<string>();
  const prepare = async (asked: readonly TaskRow[]): Promise<void> => {
    for (const { id } of asked) {
      if (!seen.has(id)) clock.pass(typeof rowMs === "number" ? rowMs : rowMs(seen.size));
      seen.add(id);
    }
  };
  const evaluator = { prepare } as unknown as Evaluator;
  const drawing = await drawInTime(from, { evaluator, seed: 1, allowedMs, now: clock.now });
  return { ...drawing, tookMs: clock.now(), seen: seen.size };
}

test("all rows are used where there is time", async () => {
  const drawing = await draw(1, 10_000);
  expect(drawing).toMatchObject({ tasks, tookMs: 3990 });
  expect(drawing.drawn).toBeUndefined();
});

test("as many rows as there is time for are used, of each task and side in proportion", async () => {
  const { drawn, tasks: used, tookMs, seen, wholeMs } = await draw(13, 6500);
  expect(tookMs).toBeLessThan(1.1 * 6500);
  expect(tookMs).toBeGreaterThan(0.9 * 6500);
  expect(wholeMs).toBeCloseTo(13 * 3990, -4);
  const counts = used.flatMap(({ search, guard }) => [search.length, guard.length]);
  expect(counts).toEqual([
    drawn!["quiz"]!.search,
    drawn!["quiz"]!.guard,
    drawn!["news"]!.search,
    drawn!["news"]!.guard,
  ]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(seen);
  for (const [i, whole] of [3000, 600, 300, 90].entries()) {
    expect(counts[i]! / whole).toBeCloseTo(seen / 3990, 1);
  }
  // Whoever knows how many takes the same.
  expect(drawnTasks(tasks, drawn!, 1)).toEqual(used);
});

test("a few rows are used however little time there is", async () => {
  const { drawn, tookMs } = await draw(1000, 0);
  expect(Math.min(...Object.values(drawn!).flatMap(({ search, guard }) => [search, guard]))).toBeGreaterThanOrEqual(4);
  expect(tookMs).toBeLessThan(400_000);
});

test("of large groups a part is used, and of each", async () => {
  const large = [{ name: "quiz", weight: 1, search: rows("s", 40_000, 10_000), guard: rows("g", 20_000, 10_000) }];
  const { tasks: used, tookMs } = await draw(1.3, 2500, large);
  expect(tookMs).toBeGreaterThan(0.9 * 2500);
  expect(tookMs).toBeLessThan(1.1 * 2500);
  const sizes = [0, 1, 2, 3].map((i) => used[0]!.search.filter(({ group }) => group === `s${i}`).length);
  expect(Math.min(...sizes)).toBeGreaterThan(0.8 * Math.max(...sizes));
});

test("a small side has its least rows, without the rows of others that would be its share", async () => {
  const uneven = [{ name: "quiz", weight: 1, search: rows("s", 40_000), guard: rows("g", 20) }];
  const { tasks: used, tookMs } = await draw(10, 1000, uneven);
  expect(used[0]!.guard).toHaveLength(4);
  expect(tookMs).toBeLessThan(1200);
});

function slowFirst(i: number): number {
  return i < 16 ? 60 : 2;
}

test("what all rows take is told from the rows that were taken, the slow first ones aside", async () => {
  const { wholeMs, drawn } = await draw(slowFirst, 1500);
  expect(drawn).toBeDefined();
  expect(wholeMs / (16 * 60 + 3974 * 2)).toBeCloseTo(1, 1);
  const within = await draw(slowFirst, wholeMs * 1.05);
  expect(within.drawn).toBeUndefined();
});
