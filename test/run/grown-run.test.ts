import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Budget, type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { RecordedRung } from "../../src/journal/records.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import type { Outcome } from "../../src/run/carry-on.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { cutAfter } from "../cut-run.ts";
import { launch } from "../observed-run.ts";
import { simulatedMachine, type Speed } from "../simulated-machine.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { newsRows, quizRows, recorded, tinyExperiment, traces, writeRows } from "../tiny-experiment.ts";

/** A candidate takes about 15 s on all search rows. */
const SLOW: Speed = { runMs: 170, numberMs: 0.173 };
const SMALL = { seconds: 110 };
const LARGE = { seconds: 700 };

let models: string;
let experiment: Experiment;
let small: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models, {
    file: { search: { algorithm: "cma-es", population: "auto", rowFraction: "auto" } },
  });
  await writeRows(join(models, "rows", "quiz.jsonl"), quizRows("search", 32));
  await writeRows(join(models, "rows", "news.jsonl"), newsRows("search", 16));
  small = join(models, "small");
  await launch(withOverrides(experiment, { budget: SMALL }), small, await simulatedMachine(SLOW));
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** A copy of a run, the small one unless told, which goes on with another budget. */
async function grown(
  budget: Budget,
  run = small,
): Promise<{
  readonly folder: string;
  readonly outcome: Outcome;
  readonly events: readonly RunEvent[];
}> {
  const folder = cutAfter(run, Infinity, join(await temporaryFolder(), "run"));
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => void events.push(event);
  return { folder, outcome: await resumeRun(folder, { ...(await simulatedMachine(SLOW)), budget, onEvent }), events };
}

describe("a run that began under a small budget and is given more", () => {
  test("scores the baselines and rows that were left out, and its finalists on them", async () => {
    const [before] = recorded(small, "baselines");
    expect(before!.skipped.length).toBeGreaterThan(0);
    const { folder, outcome } = await grown(LARGE);
    const after = recorded(folder, "baselines");
    expect(after).toHaveLength(2);
    expect(after[1]!.skipped).toEqual([]);
    expect(after[1]!.models.find(({ name }) => name === "uniform average")!.rows).toEqual({ quiz: 32, news: 16 });
    expect(after[1]!.scales).not.toEqual(before!.scales);
    const finalists = recorded(folder, "finalists").at(-1)!;
    expect(finalists.rows).toEqual({ quiz: 32, news: 16 });
    expect(recorded(folder, "result").length).toBeGreaterThan(recorded(small, "result").length);
    const losses = [...after[1]!.models.filter(({ rows }) => rows["quiz"] === 32), ...finalists.models];
    expect(outcome.winner.loss).toBe(Math.min(...losses.map(({ loss }) => loss)));
    expect(outcome.verdict!.rows).toEqual(outcome.verdict!.outOf);
    const plans = recorded(folder, "plan");
    expect(plans.at(-1)!.start).toEqual(plans[0]!.start);
    expect(plans.at(-1)!.inject).toEqual(plans[0]!.inject);
  });

  test("asks every baseline for every row once, in their order", async () => {
    const { folder } = await grown(LARGE);
    const ends = new Map<string, RecordedRung["to"]>();
    for (const { models: met, from, to } of recorded(folder, "rung")) {
      for (const { name } of met) {
        expect(from).toEqual(ends.get(name) ?? { quiz: 0, news: 0 });
        ends.set(name, to);
      }
    }
    expect(ends.size).toBe(recorded(folder, "baselines").at(-1)!.models.length);
  });

  test("is judged on more of the guard rows, which is told as another look, though its winner stays", async () => {
    const run = join(await temporaryFolder(), "run");
    const machine = await simulatedMachine(SLOW);
    await launch(withOverrides(experiment, { budget: { seconds: 250 } }), run, { ...machine, exports: true });
    const [before] = recorded(run, "verdict");
    expect(before!.rows).not.toEqual(before!.outOf);
    const used = recorded(run, "result").reduce((sum, { losses }) => sum + losses.length, 0);
    // Of no use to the search, and all other time is given.
    const { folder, outcome, events } = await grown({ evaluations: used + 1 }, run);
    expect(recorded(folder, "result")).toHaveLength(recorded(run, "result").length);
    expect(outcome.winner.recipe).toEqual(recorded(run, "finalists")[0]!.winner.recipe);
    expect(outcome.looks).toBe(2);
    expect(outcome.verdict!.rows).toEqual(outcome.verdict!.outOf);
    expect(events).toContainEqual(expect.objectContaining({ type: "skipped", phase: "search" }));
  });

  test.each([
    [110, 210],
    [250, 400],
  ])("of %i s that is given %i s is compared and judged on no fewer rows than before", async (seconds, more) => {
    const run = join(await temporaryFolder(), "run");
    await launch(withOverrides(experiment, { budget: { seconds } }), run, await simulatedMachine(SLOW));
    await resumeRun(run, { ...(await simulatedMachine(SLOW)), budget: { seconds: more } });
    for (const type of ["finalists", "verdict"] as const) {
      const counts = recorded(run, type).map(({ rows = {} }) => Object.values(rows));
      expect(counts.length).toBeGreaterThan(0);
      expect(counts.at(-1)!.every((count, i) => count >= counts[0]![i]!)).toBe(true);
    }
    expect(recorded(run, "result").at(-1)!.elapsedMs).toBeGreaterThan(1000 * seconds);
  });

  test("has its baselines where there is time for them, though the search had its half before", async () => {
    const run = join(await temporaryFolder(), "run");
    await launch(withOverrides(experiment, { budget: { seconds: 400 } }), run, await simulatedMachine(SLOW));
    await resumeRun(run, { ...(await simulatedMachine(SLOW)), budget: { seconds: 720 } });
    const [before, after] = recorded(run, "baselines").map(({ skipped }) => skipped.length);
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(0);
  });

  test("is read, and goes on, from any record of its second round", async () => {
    const { folder } = await grown(LARGE);
    const first = readJournal(small).records.length;
    const { length } = readJournal(folder).records;
    const types = readJournal(folder).records.map(({ type }) => type);
    const stops = [...types.keys()].slice(first + 1, length).filter((i) => types[i] !== "ask" && types[i] !== "result");
    for (const records of stops) {
      const run = cutAfter(folder, records, join(folder, `${records}`));
      const { workspace, winner } = await readOutcome(run);
      await workspace[Symbol.asyncDispose]();
      expect(winner.loss).toBeGreaterThan(0);
      const before = traces(run).records;
      const outcome = await resumeRun(run, await simulatedMachine(SLOW));
      expect(traces(run).records.slice(0, before.length)).toEqual(before);
      expect(recorded(run, "baselines").at(-1)!.skipped, `after ${records} of ${length}`).toEqual([]);
      expect(outcome.verdict).toBeDefined();
    }
    const before = traces(folder);
    await resumeRun(folder, await simulatedMachine(SLOW));
    expect(traces(folder)).toEqual(before);
  });
});
