import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Selection } from "../../../src/evaluate/evaluator.ts";
import type { RunEvent } from "../../../src/run/session/events.ts";
import { OverallLoss } from "../../../src/run/search/overall-loss.ts";
import { resumeRun } from "../../../src/run/resume-run.ts";
import { launch } from "../../observed-run.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyExperiment } from "../../tiny-experiment.ts";

/** Of two tasks of weights 1 and 3, whose units are 1 and 2. */
const objective = [
  { name: "quiz", weight: 1, scale: 1 },
  { name: "news", weight: 3, scale: 2 },
];
const baseline = new Map([
  ["quiz", new Map(Object.entries({ a: 1, b: 3 }))],
  ["news", new Map(Object.entries({ c: 4 }))],
]);

function rowsOf(ids: Readonly<Record<string, readonly string[]>>): Selection {
  return Object.fromEntries(Object.entries(ids).map(([task, own]) => [task, own.map((id) => ({ id }))])) as never;
}

describe("the overall loss", () => {
  test("begins as that of the baseline, and is what the search makes of it on the rows met latest", () => {
    const overall = new OverallLoss();
    expect(overall.from(baseline, objective)).toBe((1 / 4) * 2 + (3 / 4) * (4 / 2));
    overall.meet(rowsOf({ quiz: ["a"], news: ["c"] }), Float64Array.of(0.5, 2));
    expect(overall.from(baseline, objective)).toBe((1 / 4) * 2 * (0.5 / 1) + (3 / 4) * (2 / 2));
    // The third of two rows is one: a alone has been met, then b is met later.
    overall.meet(rowsOf({ quiz: ["b"] }), Float64Array.of(1.2));
    expect(overall.from(baseline, objective)).toBeCloseTo((1 / 4) * 2 * (1.2 / 3) + (3 / 4) * (2 / 2), 12);
    // Rows of one generation count together, each with its latest loss.
    overall.meet(rowsOf({ quiz: ["b", "a"] }), Float64Array.of(1, 2));
    expect(overall.from(baseline, objective)).toBeCloseTo((1 / 4) * 2 * (3 / 4) + (3 / 4) * (2 / 2), 12);
  });

  test("does not change by rows that the baseline did not meet, and is none where that met none of a task", () => {
    const overall = new OverallLoss();
    overall.meet(rowsOf({ quiz: ["z"] }), Float64Array.of(100));
    expect(overall.from(baseline, objective)).toBe(2);
    expect(overall.from(new Map([["quiz", baseline.get("quiz")!]]), objective)).toBeNaN();
  });

  test("is told of each generation, the same when a resumed run replays it", async () => {
    const folder = await temporaryFolder();
    const { events } = await launch(await tinyExperiment(folder), join(folder, "run"));
    const generations = events.filter((event) => event.type === "generation");
    const replayed: RunEvent[] = [];
    await resumeRun(join(folder, "run"), { onEvent: (event) => void replayed.push(event) });
    const plain = generations.map(({ overall, baseline: begun }) => ({ overall, begun }));
    expect(plain.length).toBeGreaterThan(1);
    expect(
      replayed.flatMap((event) =>
        event.type === "generation" ? [{ overall: event.overall, begun: event.baseline }] : [],
      ),
    ).toEqual(plain);
    // The best of those that met all search rows.
    const baselines = events.find((event) => event.type === "baselines")!.models;
    const most = Math.max(...baselines.map(({ rows }) => rows["quiz"]!));
    const best = Math.min(...baselines.flatMap(({ loss, rows }) => (rows["quiz"] === most ? [loss] : [])));
    for (const { overall, begun } of plain) {
      expect(begun).toBe(best);
      expect(overall).toBeGreaterThan(0);
    }
    expect(new Set(plain.map(({ overall }) => overall)).size).toBe(plain.length);
  });
});
