import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import type { Experiment } from "../../../src/experiment/experiment.ts";
import { Journal, readJournal } from "../../../src/journal/journal.ts";
import type { NumbersRef, ScoringStep } from "../../../src/journal/records.ts";
import type { Phase, RunEvent } from "../../../src/run/session/events.ts";
import { readOutcome } from "../../../src/run/read-outcome.ts";
import { resumeRun } from "../../../src/run/resume-run.ts";
import { interrupt, launch, type ObservedRun } from "../../observed-run.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { newsRows, quizRows, recorded, tinyExperiment, traces, writeRows } from "../../tiny-experiment.ts";

/** Every batch is a part. */
const partMs = 0;

let models: string;
let experiment: Experiment;
/** The same run, recorded in one part a step and in many. */
let whole: ObservedRun;
let inParts: ObservedRun;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models, {
    file: { search: { algorithm: "cma-es", population: 4, rowFraction: 1 } },
  });
  for (const [side, suffix, count] of [
    ["search", "", 64],
    ["guard", ".guard", 40],
  ] as const) {
    await writeRows(join(models, "rows", `quiz${suffix}.jsonl`), inGroups(side, quizRows(side, count)));
    await writeRows(join(models, "rows", `news${suffix}.jsonl`), inGroups(side, newsRows(side, count)));
  }
  whole = await launch(experiment, join(models, "whole"));
  inParts = await launch(experiment, join(models, "parts"), { partMs });
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** Few groups for many rows: what a verdict draws of them, at the end of each run, takes as long as there are groups. */
function inGroups(side: string, rows: readonly object[]): object[] {
  return rows.map((row, i) => ({ ...row, group: `${side} ${i % 5}` }));
}

/** What a run found, to the last bit: its records without times and parts, and the numbers that they refer to. */
function found(run: string): readonly object[] {
  const journal = readJournal(run);
  const records = traces(run).records as readonly { readonly type: string; readonly [field: string]: unknown }[];
  const numbers = (ref: unknown): unknown => ref && [...journal.readNumbers(ref as NumbersRef)];
  const read = (record: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(["points", "rowLosses", "start", "inject"].map((field) => [field, numbers(record[field])]));
  return records.filter(({ type }) => type !== "part").map((record) => ({ ...record, ...read(record) }));
}

/** Recorded parts of the step of a kind that has the most. */
function partsOf(run: string, step: ScoringStep): number {
  const counts = [0];
  for (const record of readJournal(run).records) {
    if (record.type === "part" && record.of === step) counts.push((counts.pop() ?? 0) + 1);
    else if (record.type === step) counts.push(0);
  }
  return Math.max(...counts);
}

/** Whether the last two records are parts of a step. */
function endsInParts(run: string, step: ScoringStep): boolean {
  const last = readJournal(run).records.slice(-2);
  return last.every((record) => record.type === "part" && record.of === step);
}

/** A copy of the run in parts as it was when so many records were written. */
function cutAfter(records: number, folder: string): string {
  mkdirSync(folder);
  const lines = readFileSync(join(inParts.folder, "journal.jsonl"), "utf8").split("\n");
  writeFileSync(join(folder, "journal.jsonl"), lines.slice(0, records).join("\n").concat("\n"));
  copyFileSync(join(inParts.folder, "numbers.bin"), join(folder, "numbers.bin"));
  return folder;
}

/** Shares of a phase's scoring that a run told it had done. */
function shares(events: readonly RunEvent[], phase: Phase): number[] {
  return events.flatMap((event) => (event.type === "progress" && event.phase === phase ? [event.share] : []));
}

describe("a run that is recorded in parts", () => {
  test("finds the same to the last bit, and a short one has no parts", () => {
    expect(found(inParts.folder)).toEqual(found(whole.folder));
    expect(recorded(whole.folder, "part")).toEqual([]);
    for (const step of ["rung", "result", "finalists", "verdict"] as const) {
      expect(partsOf(inParts.folder, step), step).toBeGreaterThan(1);
    }
  });

  test("goes on from any record, a part too, to what an uninterrupted run leaves", async () => {
    const folder = await temporaryFolder();
    const { records } = readJournal(inParts.folder);
    for (const [i, { type }] of records.entries()) {
      const run = cutAfter(i + 1, join(folder, `${i}`));
      await resumeRun(run, { partMs });
      expect(traces(run), `after record ${i + 1} of ${records.length}, ${type}`).toEqual(traces(inParts.folder));
    }
  });

  test.each([
    ["baselines", "rung"],
    ["search", "result"],
    ["finalists", "finalists"],
    ["guard", "verdict"],
  ] as const)("loses one part of its %s when it is stopped there", async (phase, step) => {
    const run = join(await temporaryFolder(), "run");
    const batches = partsOf(inParts.folder, step) + 1;
    await interrupt(
      experiment,
      run,
      (event) => event.type === "progress" && event.phase === phase && endsInParts(run, step),
      { partMs },
    );
    expect(endsInParts(run, step)).toBe(true);
    const events: RunEvent[] = [];
    await resumeRun(run, { partMs, onEvent: (event) => void events.push(event) });
    const [first = 0] = shares(events, phase);
    expect(first).toBeGreaterThan(1.5 / batches);
    expect(traces(run)).toEqual(traces(inParts.folder));
  });

  test("keeps what it has scored when a person interrupts it, however soon", async () => {
    const run = join(await temporaryFolder(), "run");
    const { records } = readJournal(inParts.folder);
    cutAfter(records.findIndex(({ type }) => type === "rung") + 1, run);
    // The first pass of a process is of one batch.
    const batches = partsOf(inParts.folder, "rung") + 1;
    const interruption = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === "progress" && event.share > 1.5 / batches) interruption.abort(new Error("enough"));
    };
    await expect(resumeRun(run, { onEvent, signal: interruption.signal })).rejects.toThrow("enough");
    expect(readJournal(run).records.at(-1)).toMatchObject({ type: "part", of: "rung", batches: 1 });
    await resumeRun(run);
    expect(found(run)).toEqual(found(whole.folder));
  });

  test("is read as the last whole step left it", async () => {
    const folder = await temporaryFolder();
    const { records } = readJournal(inParts.folder);
    const last = records.findLastIndex((record) => record.type === "part" && record.of === "verdict");
    const { workspace, winner, verdict } = await readOutcome(cutAfter(last + 1, join(folder, "guard")));
    await workspace[Symbol.asyncDispose]();
    expect(verdict).toBeUndefined();
    expect(winner).toEqual(inParts.outcome.winner);
    const first = records.findIndex(({ type }) => type === "part");
    const early = await readOutcome(cutAfter(first + 1, join(folder, "baselines")));
    await early.workspace[Symbol.asyncDispose]();
    expect(early.winner.name).not.toBe("evolved merge");
  });

  test("spends a new budget on its search, though its finalists were begun", async () => {
    const run = join(await temporaryFolder(), "run");
    const { records } = readJournal(inParts.folder);
    const part = records.findIndex((record) => record.type === "part" && record.of === "finalists");
    cutAfter(part + 1, run);
    await resumeRun(run, { partMs, budget: { evaluations: 15 } });
    expect(recorded(run, "result")).toHaveLength(3);
    const again = traces(run);
    await resumeRun(run, { partMs });
    expect(traces(run)).toEqual(again);
    expect(found(run).slice(0, 11)).toEqual(found(whole.folder).slice(0, 11));
  });

  test("tells of each part what it took, in all of the rows of the step", () => {
    const { records } = readJournal(inParts.folder);
    const times = records.flatMap((record) => ("time" in record && record.time ? [record] : []));
    const end = times.findIndex(({ type }) => type === "rung");
    const [first] = recorded(whole.folder, "rung");
    const tokens = times.slice(1, end + 1).reduce((sum, { time }) => sum + (time?.tokens ?? 0), 0);
    expect(tokens).toBe(first!.time.tokens);
    for (const { time } of times) expect(time).toMatchObject({ passes: 1 });
  });

  test("refuses parts that are of other rows", async () => {
    const run = join(await temporaryFolder(), "run");
    cutAfter(3, run);
    {
      using journal = Journal.open(run);
      const logLikelihoods = journal.appendNumbers(Float64Array.of(1));
      const [{ scope } = {}] = recorded(inParts.folder, "part");
      const time = { models: 1, tokens: 1, passes: 1, ms: 1, waitMs: 0 };
      journal.append({ type: "part", of: "rung", batches: 1, logLikelihoods, scope: scope!, time, elapsedMs: 1 });
    }
    // Not even read.
    const numbers = readFileSync(join(run, "numbers.bin"));
    writeFileSync(join(run, "numbers.bin"), numbers.fill(0, numbers.length - 8));
    const reason: unknown = await resumeRun(run, { partMs }).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(UserError);
    expect((reason as UserError).message.replace(run, "~")).toMatch(
      /^~, rung: a recorded part of the scores: expected \d+ log-likelihoods, of fewer than \d+ batches, found 1 of 1; resume with/,
    );
  });
});
