import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../src/run/session/events.ts";
import { type Budget, withOverrides } from "../../src/experiment/experiment.ts";
import { elapsedMsOf } from "../../src/journal/elapsed.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord } from "../../src/journal/records.ts";
import { cutAfter } from "../cut-run.ts";
import { interrupt, sharedRun, told } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces } from "../tiny-experiment.ts";

const whole = sharedRun();

describe("resumeRun", () => {
  test("tells a finished run's steps again without computing, and ends with the same verdict", async () => {
    const { folder, events, outcome } = whole;
    const before = traces(folder);
    const again: RunEvent[] = [];
    const resumed = await resumeRun(folder, { onEvent: (event) => void again.push(event) });
    expect(resumed).toEqual(outcome);
    expect(told(again)).toEqual(told(events));
    expect(again.some(({ type }) => type === "progress")).toBe(false);
    expect(again[0]).toMatchObject({ resumed: true });
    expect(again.filter((event) => event.type === "generation" && !event.replayed)).toEqual([]);
    expect(again.at(-1)).toEqual(events.at(-1));
    expect(traces(folder)).toEqual(before);
  });

  test("goes on from any record to what an uninterrupted run leaves", async () => {
    const folder = await temporaryFolder();
    const { length } = readJournal(whole.folder).records;
    for (let records = 1; records <= length; records += 1) {
      const run = cutAfter(whole.folder, records, join(folder, `${records}`));
      expect((await resumeRun(run)).winner).toEqual(whole.outcome.winner);
      expect(traces(run), `after record ${records} of ${length}`).toEqual(traces(whole.folder));
    }
  });

  test("goes on in what is left of its time", async () => {
    const folder = join(await temporaryFolder(), "run");
    const experiment = withOverrides(whole.outcome.experiment, { budget: { seconds: 600 } });
    let before = 0;
    await interrupt(experiment, folder, (event) => {
      if (event.type === "generation") before = event.elapsedMs;
      return before > 1000;
    });
    const began = performance.now();
    const next = await new Promise<Extract<RunEvent, { type: "generation" }>>((resolve, reject) => {
      const interruption = new AbortController();
      const onEvent = (event: RunEvent): void => {
        if (event.type !== "generation" || event.replayed) return;
        resolve(event);
        interruption.abort(new Error("enough"));
      };
      resumeRun(folder, { onEvent, signal: interruption.signal }).catch(reject);
    });
    // The time of both sittings counts, and nothing else.
    expect(next.elapsedMs).toBeGreaterThan(before);
    expect(next.elapsedMs - before).toBeLessThan(performance.now() - began);
    const leftMs = "ms" in next.left ? next.left.ms : Number.NaN;
    expect(leftMs).toBeLessThan(600_000 - next.elapsedMs);
    expect(leftMs).toBeGreaterThan(300_000 - next.elapsedMs);
    const elapsed = readJournal(folder).records.flatMap((record) => ("elapsedMs" in record ? [record.elapsedMs] : []));
    expect(elapsed.toSorted((a, b) => a - b)).toEqual(elapsed);
  });

  test("takes another budget and remembers it", async () => {
    const folder = join(await temporaryFolder(), "run");
    const budget = { evaluations: 15 };
    await interrupt(whole.outcome.experiment, folder, ({ type }) => type === "generation");
    const interruption = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === "opened") interruption.abort(new Error("enough"));
    };
    await expect(resumeRun(folder, { budget, onEvent, signal: interruption.signal })).rejects.toThrow("enough");
    const { experiment } = await resumeRun(folder);
    expect(experiment.budget).toEqual(budget);
    expect(recorded(folder, "result")).toHaveLength(3);
    await resumeRun(folder, { budget });
    expect(recorded(folder, "budget")).toEqual([{ type: "budget", budget }]);
  });

  test("leaves the winner without a verdict when time ends before the guard, which more time makes up for", async () => {
    const folder = join(await temporaryFolder(), "run");
    await interrupt(whole.outcome.experiment, folder, ({ type }) => type === "finalists");
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => void events.push(event);
    const outcome = await resumeRun(folder, { budget: nearlyUsed(folder), onEvent });
    expect(outcome).not.toHaveProperty("verdict");
    const why = "the budget has no time left for it; the winner was not compared on new rows";
    expect(events).toContainEqual({ type: "skipped", phase: "guard", why });
    await resumeRun(folder, { budget: whole.outcome.experiment.budget });
    const { records, numbers } = traces(folder);
    expect(records.filter((record) => (record as JournalRecord).type !== "budget")).toEqual(
      traces(whole.folder).records,
    );
    expect(numbers).toBe(traces(whole.folder).numbers);
  });

  test("takes a mean uncompared no longer: when time ends before the finalists it must beat the best baseline", async () => {
    const folder = join(await temporaryFolder(), "run");
    await interrupt(whole.outcome.experiment, folder, (event) => event.type === "generation" && event.generation === 1);
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => void events.push(event);
    const { winner } = await resumeRun(folder, { budget: nearlyUsed(folder), onEvent });
    const skipped = events.find((event) => event.type === "skipped" && event.phase === "finalists");
    expect(skipped).toHaveProperty(
      "why",
      expect.stringMatching(/^the budget has no time left for it; the (last mean that was scored|best baseline) wins/),
    );
    const last = recorded(folder, "result").at(-1)!;
    const isMean = winner.name === "evolved merge";
    // Both met the rows of the last generation.
    expect(winner.loss).toBe(
      isMean
        ? last.losses[last.reference]
        : recorded(folder, "baselines")[0]!.models.find(({ name }) => name === winner.name)!.loss,
    );
  });
});

/** A budget that ends while the run is opened. */
function nearlyUsed(folder: string): Budget {
  return { seconds: (elapsedMsOf(readJournal(folder).records) + 0.001) / 1000 };
}

describe("readOutcome", () => {
  test("gives the best of whatever is recorded, and leaves the files as they are", async () => {
    const folder = await temporaryFolder();
    const found = new Map<string, string>();
    for (const [i, { type }] of readJournal(whole.folder).records.entries()) {
      const run = cutAfter(whole.folder, i + 1, join(folder, `${i}`));
      const before = traces(run);
      found.set(
        `${i} ${type}`,
        await readOutcome(run).then(summary, ({ message }: Error) => message.replace(run, "~")),
      );
      expect(traces(run)).toEqual(before);
    }
    expect(Object.fromEntries(found)).toMatchInlineSnapshot(`
      {
        "0 start": "~: the run has not got as far as its forecast; let it go on, or resume it",
        "1 parents": "~: the run has not got as far as its forecast; let it go on, or resume it",
        "10 result": "global weight 1.2",
        "11 finalists": "evolved merge, the last mean",
        "12 verdict": "evolved merge, the last mean, with a verdict",
        "2 forecast": "uniform average",
        "3 rung": "nature",
        "4 rung": "global weight 1.2",
        "5 baselines": "global weight 1.2",
        "6 plan": "global weight 1.2",
        "7 ask": "global weight 1.2",
        "8 result": "global weight 1.2",
        "9 ask": "global weight 1.2",
      }
    `);
  });
});

/** What a reader of a run finds, in a few words. */
async function summary({ workspace, winner, verdict }: Awaited<ReturnType<typeof readOutcome>>): Promise<string> {
  await workspace[Symbol.asyncDispose]();
  const [finalists] = recorded(whole.folder, "finalists");
  expect(finalists!.winner.loss).toBe(finalists!.models.find(({ name }) => name === "last mean")!.loss);
  const isLast = JSON.stringify(winner.recipe) === JSON.stringify(finalists!.winner.recipe);
  return `${winner.name}${isLast ? ", the last mean" : ""}${verdict ? ", with a verdict" : ""}`;
}
