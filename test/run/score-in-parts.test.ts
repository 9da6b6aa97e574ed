import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { Experiment } from "../../src/experiment/experiment-file.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { LossesRef, ScoringStep } from "../../src/journal/records.ts";
import type { Phase, RunEvent } from "../../src/run/events.ts";
import { readOutcome, resumeRun } from "../../src/run/run-experiment.ts";
import { interrupt, launch, type ObservedRun } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { newsRows, quizRows, recorded, tinyExperiment, traces, writeRows } from "../tiny-experiment.ts";

/** Every batch is a part. */
const partMs = 0;

let models: string;
let experiment: Experiment;
/** The same run, recorded in one part a step and in many. */
let whole: ObservedRun;
let inParts: ObservedRun;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models, { file: { search: { population: 4, rowFraction: 1 } } });
  for (const [side, suffix, count] of [
    ["search", "", 64],
    ["guard", ".guard", 40],
  ] as const) {
    await writeRows(join(models, "rows", `quiz${suffix}.jsonl`), quizRows(side, count));
    await writeRows(join(models, "rows", `news${suffix}.jsonl`), newsRows(side, count));
  }
  whole = await launch(experiment, join(models, "whole"));
  inParts = await launch(experiment, join(models, "parts"), { partMs });
}, 120_000);
afterAll(() => rm(models, { recursive: true, force: true }));

/** What a run found, to the last bit: its records without times and parts, and the losses that they refer to. */
function found(run: string): readonly object[] {
  const journal = readJournal(run);
  const records = traces(run).records as readonly { readonly type: string; readonly rowLosses?: LossesRef }[];
  return records
    .filter(({ type }) => type !== "part")
    .map((record) => ({ ...record, rowLosses: record.rowLosses && [...journal.readLosses(record.rowLosses)] }));
}

/** Recorded parts by the step that they are of. */
function partsOf(run: string, step: ScoringStep): number {
  return recorded(run, "part").filter(({ of }) => of === step).length;
}

/** A copy of the run in parts as it was when so many records were written. */
function cutAfter(records: number, folder: string): string {
  mkdirSync(folder);
  const lines = readFileSync(join(inParts.folder, "journal.jsonl"), "utf8").split("\n");
  writeFileSync(join(folder, "journal.jsonl"), lines.slice(0, records).join("\n").concat("\n"));
  copyFileSync(join(inParts.folder, "losses.bin"), join(folder, "losses.bin"));
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
    for (const step of ["baselines", "result", "finalists", "verdict"] as const) {
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
  }, 300_000);

  test.each([
    ["baselines", "baselines"],
    ["search", "result"],
    ["finalists", "finalists"],
    ["guard", "verdict"],
  ] as const)("loses one part of its %s when it is stopped there", async (phase, step) => {
    const run = join(await temporaryFolder(), "run");
    const all = partsOf(inParts.folder, step);
    const batches = phase === "search" ? all / recorded(inParts.folder, "result").length + 1 : all + 1;
    // In the midst of the third batch, two of which are recorded.
    const share = 2.5 / batches;
    await interrupt(
      experiment,
      run,
      (event) => event.type === "progress" && event.phase === phase && event.share > share,
      {
        partMs,
      },
    );
    expect(readJournal(run).records.slice(-2)).toMatchObject([
      { type: "part", of: step },
      { type: "part", of: step },
    ]);
    const events: RunEvent[] = [];
    await resumeRun(run, { partMs, onEvent: (event) => void events.push(event) });
    const [first = 0] = shares(events, phase);
    expect(first).toBeGreaterThan(1.5 / batches);
    expect(traces(run)).toEqual(traces(inParts.folder));
  });

  test("keeps what it has scored when a person interrupts it, however soon", async () => {
    const run = join(await temporaryFolder(), "run");
    const batches = partsOf(inParts.folder, "baselines") + 1;
    const inSecond = (event: RunEvent): boolean => event.type === "progress" && event.share > 1.5 / batches;
    await interrupt(experiment, run, inSecond);
    expect(readJournal(run).records.slice(1)).toMatchObject([{ type: "parents" }, { type: "part", batches: 1 }]);
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
    const early = cutAfter(first + 1, join(folder, "baselines"));
    await expect(readOutcome(early)).rejects.toThrow(`${early}: the run has not got as far as its baselines`);
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
    expect(found(run).slice(0, 8)).toEqual(found(whole.folder).slice(0, 8));
  });

  test("counts the time of earlier sittings to its baselines", async () => {
    const [scored] = recorded(inParts.folder, "baselines");
    const parts = recorded(inParts.folder, "part").filter(({ of }) => of === "baselines");
    const ms = parts.reduce((sum, part) => sum + part.ms, 0);
    expect(scored!.evaluationMs * scored!.models.length).toBeGreaterThan(ms);
    // In its second sitting only the last part is scored.
    const run = cutAfter(2 + parts.length, join(await temporaryFolder(), "run"));
    await resumeRun(run, { partMs });
    expect(recorded(run, "baselines")[0]!.evaluationMs * scored!.models.length).toBeGreaterThan(ms);
  });

  test("refuses parts that are of other rows", async () => {
    const run = join(await temporaryFolder(), "run");
    cutAfter(3, run);
    {
      using journal = Journal.open(run);
      const logLikelihoods = journal.appendLosses(Float64Array.of(1));
      journal.append({ type: "part", of: "baselines", batches: 1, logLikelihoods, ms: 1, elapsedMs: 1 });
    }
    // Not even read.
    const losses = readFileSync(join(run, "losses.bin"));
    writeFileSync(join(run, "losses.bin"), losses.fill(0, losses.length - 8));
    const reason: unknown = await resumeRun(run, { partMs }).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(UserError);
    expect((reason as UserError).message.replace(run, "~")).toMatch(
      /^~, baselines: a recorded part of the scores: expected \d+ log-likelihoods, of fewer than \d+ batches, found 1 of 1; resume with/,
    );
  });
});
