import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { deal, gather } from "../../src/run/scoring/deal-rows.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { cutAfter } from "../cut-run.ts";
import { interrupt, launch, type ObservedRun } from "../observed-run.ts";
import { simulatedMachine } from "../simulated-machine.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

/** Every row is a part. */
const partMs = 0;

/** Two walkers on a quarter of the rows: four of one task and two of the other. */
const file = {
  search: { algorithm: "lineages", population: 2, rowFraction: 0.25 },
  budget: { evaluations: 16 },
};
const ROWS = 6;

let models: string;
let experiment: Experiment;
/** The same run, its generations recorded as a whole and row by row. */
let whole: ObservedRun;
let inParts: ObservedRun;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models, { file, model: { dtype: "f32" } });
  whole = await launch(experiment, join(models, "whole"));
  inParts = await launch(experiment, join(models, "parts"), { partMs });
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** Losses of the rows of the first generation, and its gradients. */
function firstOf(run: string): { readonly rowLosses: number[]; readonly gradients: number[] } {
  const [result] = recorded(run, "result");
  const journal = readJournal(run);
  return {
    rowLosses: [...journal.readNumbers(result!.rowLosses)],
    gradients: [...journal.readNumbers(result!.gradients!)],
  };
}

/** Recorded parts since the last record of another kind. */
function trailingParts(run: string): number {
  const { records } = readJournal(run);
  return records.length - 1 - records.findLastIndex(({ type }) => type !== "gradient");
}

/** In how many parts a machine of this speed records the generations, where a part is a minute. */
async function partsOn(runMs: number, numberMs: number): Promise<(number | undefined)[]> {
  const run = join(await temporaryFolder(), "run");
  await launch(experiment, run, { ...(await simulatedMachine({ runMs, numberMs })), partMs: 60_000 });
  return recorded(run, "ask").map(({ parts }) => parts);
}

describe("gradients that are recorded in parts", () => {
  test("are those of the whole, but for the order of their sums, and losses are equal to the bit", () => {
    expect(recorded(whole.folder, "gradient")).toEqual([]);
    expect(recorded(inParts.folder, "gradient")).toHaveLength(2 * (ROWS - 1));
    const [one, many] = [whole, inParts].map(({ folder }) => firstOf(folder));
    expect(many!.rowLosses).toEqual(one!.rowLosses);
    const length = Math.hypot(...one!.gradients);
    expect(length).toBeGreaterThan(0);
    const distance = Math.hypot(...one!.gradients.map((value, j) => value - many!.gradients[j]!));
    expect(distance / length).toBeLessThan(1e-5);
  });

  test("are gone on with from any record of a generation, to the bits of a run that was not stopped", async () => {
    const folder = await temporaryFolder();
    for (const [i, { type }] of readJournal(inParts.folder).records.entries()) {
      if (type !== "ask" && type !== "gradient" && type !== "result") continue;
      const run = cutAfter(inParts.folder, i + 1, join(folder, `${i}`));
      await resumeRun(run, { partMs });
      expect(traces(run), `after record ${i + 1}, ${type}`).toEqual(traces(inParts.folder));
    }
  });

  test("lose one of them when they are stopped", async () => {
    const run = join(await temporaryFolder(), "run");
    await interrupt(experiment, run, ({ type }) => type === "progress" && trailingParts(run) === 3, { partMs });
    expect(trailingParts(run)).toBe(3);
    const events: RunEvent[] = [];
    await resumeRun(run, { partMs, onEvent: (event) => void events.push(event) });
    const shares = events.flatMap((event) =>
      event.type === "progress" && event.phase === "search" ? event.share : [],
    );
    expect(shares[0]).toBeGreaterThan(3 / ROWS);
    expect(shares).toContain(1);
    expect(traces(run)).toEqual(traces(inParts.folder));
  });

  test("are as many as were recorded before, whatever the machine would make of it now", async () => {
    const { records } = readJournal(inParts.folder);
    const ask = records.findIndex(({ type }) => type === "ask");
    const run = cutAfter(inParts.folder, ask + 1, join(await temporaryFolder(), "run"));
    await resumeRun(run);
    expect(recorded(run, "gradient")).toHaveLength(ROWS - 1);
    expect(recorded(run, "ask").map(({ parts }) => parts)).toEqual([ROWS, undefined]);
    expect(firstOf(run)).toEqual(firstOf(inParts.folder));
  });

  test("are refused when they are of other rows", async () => {
    const { records } = readJournal(inParts.folder);
    const ask = records.findIndex(({ type }) => type === "ask");
    const run = cutAfter(inParts.folder, ask + 1, join(await temporaryFolder(), "run"));
    {
      using journal = Journal.open(run);
      const genes = recorded(run, "plan")[0]!.genes.length;
      const rowLosses = journal.appendNumbers(Float64Array.of(1));
      const gradients = journal.appendNumbers(new Float64Array(2 * genes));
      const time = { models: 2, tokens: 1, passes: 1, ms: 1, waitMs: 0 };
      journal.append({ type: "gradient", rowLosses, gradients, time, elapsedMs: 1 });
    }
    await expect(resumeRun(run)).rejects.toThrow(
      /^.*, result: a recorded part of the gradients: expected 2 losses, found 1; resume with the versions/,
    );
  });

  test("are as many as a part's time goes into what they take, and one where passes cost more than rows", async () => {
    expect(await partsOn(1, 0.01)).toEqual([undefined, undefined]);
    const slow = await partsOn(1, 10);
    for (const parts of slow) expect(parts).toBeGreaterThan(1);
    expect(await partsOn(20_000, 0.01)).toEqual([undefined, undefined]);
  });
});

describe("rows that are dealt", () => {
  const rows = { quiz: ["a", "b", "c"], news: ["d", "e"] } as unknown as Parameters<typeof deal>[0];

  test("are shared evenly over the tasks", () => {
    expect(deal(rows, 2)).toEqual([
      { quiz: ["a", "c"], news: ["e"] },
      { quiz: ["b"], news: ["d"] },
    ]);
    expect(deal(rows, 1)).toEqual([rows]);
  });

  test("have their numbers gathered in their order", () => {
    const number = new Map(["a", "b", "c", "d", "e"].map((name, i) => [name, i]));
    for (let count = 1; count <= 5; count += 1) {
      const hands = deal(rows, count).map((hand) =>
        Object.values(hand).flatMap((own) => own.map((row) => number.get(row as unknown as string)!)),
      );
      expect(gather(rows, hands)).toEqual({ quiz: [0, 1, 2], news: [3, 4] });
    }
  });
});
