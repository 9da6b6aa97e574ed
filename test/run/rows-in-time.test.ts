import { expect, test } from "vitest";
import type { Evaluator } from "../../src/evaluate/evaluator.ts";
import type { Task } from "../../src/experiment/load-tasks.ts";
import { BudgetClock } from "../../src/run/time/budget-clock.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { drawForBudget, noTimeText, readRowsInTime } from "../../src/run/rows-in-time.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { VirtualClock } from "../virtual-clock.ts";

const row = { kind: "choice", context: "c", continuations: [" a", " b"], label: 0, passage: "p" } as const;

function rows(side: string, count: number): Task["search"] {
  return Array.from({ length: count }, (_, i) => ({ ...row, id: `${side}${i}`, group: `${side}${i % 3}` }));
}

const tasks: readonly Task[] = [{ name: "quiz", weight: 1, search: rows("s", 4000), guard: rows("g", 2000) }];

/** What is said of drawing, where loading took so long, the first rows a while and each other one two milliseconds. */
async function draw(budget: number, loadMs: number): Promise<string | undefined> {
  const wall = new VirtualClock();
  const clock = new BudgetClock({ seconds: budget }, undefined, wall);
  wall.pass(loadMs);
  let seen = 0;
  const prepare = async (asked: Task["search"]): Promise<void> => {
    for (const _ of asked) wall.pass(seen++ < 8 ? 50 : 2);
  };
  const events: RunEvent[] = [];
  const evaluator = { prepare } as unknown as Evaluator;
  await drawForBudget(tasks, { evaluator, seed: 1, clock, onEvent: (event) => events.push(event) });
  return events.flatMap((event) => (event.type === "notice" ? [event.text] : []))[0];
}

test("the budget that is said to have time for all rows has it, after loading too", async () => {
  for (const budget of [33, 40, 60]) {
    const said = await draw(budget, 30_000);
    const advised = Number(/a budget of about (\d+) s/.exec(said!)![1]);
    expect(advised).toBeGreaterThan(30 + 12 * 8);
    expect(advised).toBeLessThan(1.4 * (30 + 12 * 8));
    expect(await draw(advised, 30_000)).toBeUndefined();
  }
});

test("reading that does not end in time says what it takes", async () => {
  const wall = new VirtualClock();
  // Time is over as soon as anything else has its turn.
  const after = (ms: number, act: () => void): (() => void) => {
    const cancel = wall.after(ms, act);
    setImmediate(() => wall.pass(ms));
    return cancel;
  };
  const clock = new BudgetClock({ seconds: 2 }, undefined, { now: wall.now, after });
  wall.pass(1000);
  const experiment = await tinyExperiment(await temporaryFolder());
  await expect(readRowsInTime(experiment, clock)).rejects.toThrow(
    /^the time budget of 2 s has no room for opening the models, which took 1 s, and reading all rows, which takes /,
  );
});

test("the budget that will do is the time of opening and reading, not a part of the budget", () => {
  const seen = { openMs: 500, readMs: 2000, share: 0.25, budgetMs: 3000 };
  const said = noTimeText(seen);
  expect(said).toMatch(/which takes about 11 s here; give one of about \d+ s, or fewer rows$/);
  // However long the budget was until it was noticed.
  expect(noTimeText({ ...seen, readMs: 4000, share: 0.5 })).toBe(said);
  expect(noTimeText({ ...seen, share: 0 })).toMatch(/takes more than 3 s here; give one of more than \d+ s/);
});
