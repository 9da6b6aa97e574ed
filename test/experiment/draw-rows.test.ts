import { expect, test } from "vitest";
import type { Evaluator } from "../../src/evaluate/evaluator.ts";
import { drawInTime, drawnTasks, type Drawing } from "../../src/experiment/draw-rows.ts";
import type { Task } from "../../src/experiment/load-tasks.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { VirtualClock } from "../virtual-clock.ts";

function rows(side: string, count: number): TaskRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${side}${i}`,
    kind: "choice",
    context: "c",
    continuations: [" a", " b"],
    label: i % 2,
    passage: `${side}${i}`,
    // Three rows about one passage each.
    group: `${side}${Math.floor(i / 3)}`,
  }));
}

const tasks: readonly Task[] = [
  { name: "quiz", weight: 1, search: rows("s", 3000), guard: rows("g", 600) },
  { name: "news", weight: 1, search: rows("n", 300), guard: rows("h", 90) },
];

/** Draws with a tokenizer that takes so many milliseconds a row. */
async function draw(
  rowMs: number,
  allowedMs: number,
): Promise<Drawing & { readonly tookMs: number; readonly seen: number }> {
  const clock = new VirtualClock();
  const seen = new Set<string>();
  const prepare = async (asked: readonly TaskRow[]): Promise<void> => {
    for (const { id } of asked) {
      if (!seen.has(id)) clock.pass(rowMs);
      seen.add(id);
    }
  };
  const evaluator = { prepare } as unknown as Evaluator;
  const drawing = await drawInTime(tasks, { evaluator, seed: 1, allowedMs, now: clock.now });
  return { ...drawing, tookMs: clock.now(), seen: seen.size };
}

test("all rows are used where there is time", async () => {
  const drawing = await draw(1, 10_000);
  expect(drawing).toMatchObject({ tasks, tookMs: 3990 });
  expect(drawing.drawn).toBeUndefined();
});

test("as many rows as there is time for are used, whole groups of each task and side in proportion", async () => {
  const { drawn, tasks: used, tookMs, seen, wholeMs } = await draw(13, 6500);
  expect(tookMs).toBeLessThan(1.3 * 6500);
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
    expect(counts[i]! % 3).toBe(0);
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
