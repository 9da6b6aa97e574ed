import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord, RecordPayloads } from "../../src/journal/records.ts";
import { nextSteps } from "../../src/report/next-steps.ts";
import { budgetOf, runFacts } from "../../src/report/run-facts.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

describe("a run of evaluations", () => {
  let folder: string;
  let run: string;
  let records: readonly JournalRecord[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "evomerge-"));
    run = join(folder, "run");
    await launchRun(await tinyExperiment(folder), run);
    ({ records } = readJournal(run));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("is told by engine and precision, time, rows and seed", () => {
    const version = `evomerge \\d+\\.\\d+\\.\\d+ and Node ${process.version.replaceAll(".", "\\.")}`;
    expect(runFacts(records)).toEqual([
      expect.stringMatching(/^engine: ggml on CPU .*, products in f32$/),
      expect.stringMatching(/^time: \d+ s up to the last step, of a budget of 10 evaluations$/),
      "rows that one model met: quiz 16 in the search, 8 on guard; news 8 in the search, 6 on guard",
      expect.stringMatching(`^seed 1, begun on 20\\d\\d-\\d\\d-\\d\\d at \\d\\d:\\d\\d UTC, with ${version}$`),
    ]);
  });

  test("may be exported, evaluated and given more", () => {
    expect(nextSteps(run, records, (command, path) => `do ${command} ${path}`)).toEqual([
      [`do export ${run}`, "write the winner as a Hugging Face folder"],
      [`do evaluate ${run}`, "lm_eval on the winner and its parents"],
      [`do resume ${run} --evaluations 20`, "search on, with twice the budget"],
    ]);
    const begun = records.filter(({ type }) => type !== "finalists" && type !== "verdict");
    expect(nextSteps(run, begun, (command) => command)).toEqual([["resume", "go on"]]);
  });

  test("has the last budget that it was given", async () => {
    const budget = { evaluations: 15 };
    await resumeRun(run, { budget });
    const given = readJournal(run).records;
    expect(budgetOf(given)).toEqual(budget);
    expect(runFacts(given)[1]).toMatch(/of a budget of 15 evaluations$/);
  });
});

test("a journal whose experiment is none has the facts that are left", () => {
  const start: JournalRecord = { type: "start", format: 7, folder: "/run", experiment: {}, identity: {}, versions: {} };
  expect(runFacts([start])).toEqual(["time: 0 s up to the last step", "rows that one model met: none yet"]);
  expect(nextSteps("/run", [start], (command) => command)).toEqual([["resume", "go on"]]);
});

test("a budget of time is told with the time used", () => {
  const seconds: JournalRecord = { type: "budget", budget: { seconds: 90 } };
  const start: JournalRecord = { type: "start", format: 7, folder: "/run", experiment: {}, identity: {}, versions: {} };
  const baselines: JournalRecord = { type: "baselines", models: [], skipped: [], scales: {}, elapsedMs: 61_000 };
  expect(runFacts([start, seconds, baselines])[0]).toBe(
    "time: 1 min 01 s up to the last step, of a budget of 1 min 30 s",
  );
});

/** A run that ended with the best of its baselines. */
function endedWith(
  budget: RecordPayloads["budget"]["budget"],
  { algorithm, candidates, results = 0 }: { algorithm: string; candidates: number; results?: number },
): JournalRecord[] {
  const losses = Array.from({ length: candidates }, () => 1);
  const winner = { name: "base", recipe: { method: "passthrough", model: "base" }, scores: {}, loss: 1 } as const;
  return [
    { type: "budget", budget },
    { type: "forecast", wholeMs: 600_000 },
    { type: "plan", algorithm, candidates },
    ...Array.from({ length: results }, () => ({ type: "result", losses })),
    { type: "finalists", models: [], winner, elapsedMs: 1 },
  ] as JournalRecord[];
}

test("of a front any merge may be exported", () => {
  const member = { of: "base", scores: { quiz: { loss: 1 }, news: { loss: 1 } }, loss: 1 };
  const records = endedWith({ evaluations: 9 }, { algorithm: "front-walk", candidates: 1, results: 1 }).map((record) =>
    record.type === "finalists" ? { ...record, front: [member] } : record,
  );
  expect(nextSteps("/run", records as JournalRecord[], (command) => command)[1]).toEqual([
    "export --pick knee",
    "or its knee, the best on a task, or another place on the front",
  ]);
});

test.each<readonly [what: string, records: readonly JournalRecord[], option: string, purpose: string]>([
  [
    "a walk of one evaluation, too few for a step",
    endedWith({ evaluations: 1 }, { algorithm: "gradient-walk", candidates: 1 }),
    "--evaluations 4",
    "search, with a budget that has room for it",
  ],
  [
    "one of nine, whose last was not used",
    endedWith({ evaluations: 9 }, { algorithm: "gradient-walk", candidates: 1, results: 2 }),
    "--evaluations 18",
    "search on, with twice the budget",
  ],
  [
    "lineages of fewer than one generation takes",
    endedWith({ evaluations: 7 }, { algorithm: "lineages", candidates: 4 }),
    "--evaluations 16",
    "search, with a budget that has room for it",
  ],
  [
    "a time that had no room for a generation",
    endedWith({ seconds: 60 }, { algorithm: "gradient-walk", candidates: 1 }),
    "--budget 10m",
    "search, with a budget that has room for it",
  ],
  [
    "a time that had",
    endedWith({ seconds: 60 }, { algorithm: "gradient-walk", candidates: 1, results: 1 }),
    "--budget 120s",
    "search on, with twice the budget",
  ],
])("more budget is told that has room for another generation, after %s", (_, records, option, purpose) => {
  expect(nextSteps("/run", records, (command) => command).at(-1)).toEqual([`resume ${option}`, purpose]);
});
