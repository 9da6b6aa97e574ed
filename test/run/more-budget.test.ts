import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { outcomeText } from "../../src/cli/outcome-text.ts";
import { type Budget, withOverrides } from "../../src/experiment/experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import type { JournalRecord, NumbersRef } from "../../src/journal/records.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { cutAfter } from "../cut-run.ts";
import { launch, sharedRun } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces, untimed } from "../tiny-experiment.ts";

const MORE = { evaluations: 20 };

const whole = sharedRun();

/** A copy of the finished run. */
async function finished(): Promise<string> {
  return cutAfter(whole.folder, Infinity, join(await temporaryFolder(), "run"));
}

/** A copy of it as it was after its first generation: five evaluations. */
async function begun(): Promise<string> {
  const end = readJournal(whole.folder).records.findIndex(({ type }) => type === "result") + 1;
  return cutAfter(whole.folder, end, join(await temporaryFolder(), "run"));
}

describe("a finished run", () => {
  test("takes more budget and searches as one that had it from the start", async () => {
    const folder = await finished();
    const outcome = await resumeRun(folder, { budget: MORE });
    const experiment = withOverrides(whole.outcome.experiment, { budget: MORE });
    const other = await launch(experiment, join(await temporaryFolder(), "run"));
    expect(shown(recorded(folder, "ask"))).toEqual(shown(recorded(other.folder, "ask")));
    const unspent = (run: string): object[] => shown(recorded(run, "result").map((one) => ({ ...one, spent: 0 })));
    expect(unspent(folder)).toEqual(unspent(other.folder));
    expect(recorded(folder, "result").map(({ spent }) => spent)).toEqual([0.5, 1, 0.75, 1]);
    expect(recorded(folder, "result")).toHaveLength(4);
    const [, again] = recorded(folder, "finalists");
    expect(again!.models).toEqual(recorded(other.folder, "finalists")[0]!.models);
    // What won before competes once more.
    const losses = [whole.outcome.winner, ...again!.models].map(({ loss }) => loss);
    expect(outcome.winner.loss).toBe(Math.min(...losses));
    expect(types(folder).slice(-7)).toEqual(["plan", "ask", "result", "ask", "result", "finalists", "verdict"]);
    expect(outcome).toMatchObject({ looks: 2, experiment: { budget: MORE } });
    const before = traces(whole.folder).records;
    expect(traces(folder).records.slice(0, before.length)).toEqual(before);
  });

  test("is shown again, and nothing more, without another budget", async () => {
    const folder = await finished();
    await resumeRun(folder, { budget: MORE });
    const before = traces(folder);
    const outcome = await resumeRun(folder);
    expect(await resumeRun(folder, { budget: MORE })).toEqual(outcome);
    expect(traces(folder)).toEqual(before);
  });

  test("goes on from any record of its second search to what an uninterrupted one leaves", async () => {
    const folder = await finished();
    await resumeRun(folder, { budget: MORE });
    const { length } = readJournal(folder).records;
    for (let records = readJournal(whole.folder).records.length + 1; records < length; records += 1) {
      const run = cutAfter(folder, records, join(folder, `${records}`));
      await resumeRun(run);
      expect(traces(run), `after record ${records} of ${length}`).toEqual(traces(folder));
    }
  });

  test("is refused a budget that it has used", async () => {
    const folder = await finished();
    const before = traces(folder);
    await expect(resumeRun(folder, { budget: { evaluations: 9 } })).rejects.toThrow(
      `${folder}: expected a budget of more than the 10 evaluations that the run has used, which count in it, found 9 evaluations`,
    );
    await expect(resumeRun(folder, { budget: { seconds: 0.001 } })).rejects.toThrow("that the run has used");
    expect(traces(folder)).toEqual(before);
  });

  test("is not told what had room in an earlier budget", async () => {
    const folder = await finished();
    const told = async (budget?: Budget): Promise<RunEvent["type"][]> => {
      const types: RunEvent["type"][] = [];
      await resumeRun(folder, { onEvent: ({ type }) => void types.push(type), ...(budget && { budget }) });
      return types;
    };
    expect(await told()).toContain("forecast");
    expect(await told(MORE)).not.toContain("forecast");
    expect(await told()).not.toContain("forecast");
  });

  test("says so when another budget has no room for a generation", async () => {
    const folder = await finished();
    const events: RunEvent[] = [];
    const outcome = await resumeRun(folder, {
      budget: { evaluations: 12 },
      onEvent: (event) => void events.push(event),
    });
    const why = "the budget, in which the run's time so far counts, has no room for another generation";
    expect(events.at(-1)).toEqual({ type: "skipped", phase: "search", why });
    expect(outcome).toEqual({
      ...whole.outcome,
      folder,
      experiment: withOverrides(whole.outcome.experiment, { budget: { evaluations: 12 } }),
    });
  });

  test("searches with another budget though the first had no room for a generation", async () => {
    const folder = join(await temporaryFolder(), "run");
    await launchRun(withOverrides(whole.outcome.experiment, { budget: { evaluations: 4 } }), folder);
    expect(recorded(folder, "result")).toHaveLength(0);
    await resumeRun(folder, { budget: whole.outcome.experiment.budget });
    expect(shown(recorded(folder, "result"))).toEqual(shown(recorded(whole.folder, "result")));
    expect(recorded(folder, "finalists")[1]!.models).toEqual(recorded(whole.folder, "finalists")[0]!.models);
  });

  test("searches on where the verdict is missing still", async () => {
    const { length } = readJournal(whole.folder).records;
    const folder = cutAfter(whole.folder, length - 1, join(await temporaryFolder(), "run"));
    const { looks } = await resumeRun(folder, { budget: MORE });
    expect(looks).toBe(1);
    expect(types(folder).filter((type) => type === "verdict" || type === "finalists")).toEqual([
      "finalists",
      "finalists",
      "verdict",
    ]);
  });

  test("says how often the guard rows were looked at", async () => {
    const folder = await finished();
    const outcome = await resumeRun(folder, { budget: MORE });
    const said = "The guard rows were looked at twice, for another winner or on more of them; p-values";
    expect(outcomeText(outcome)).toContain(said);
    expect(outcomeText(whole.outcome)).not.toContain("looked at");
    await writeTables(folder);
    expect(readFileSync(join(folder, "report.md"), "utf8")).toContain(said);
    const { model, weightsDigest } = await exportRun(folder);
    expect(readFileSync(join(model, "README.md"), "utf8")).toContain(said);
    expect(weightsDigest).toBe(recorded(folder, "verdict")[1]!.weightsDigest);
  });

  test("is read as its last verdict left it while it is searched once more", async () => {
    const folder = await finished();
    await resumeRun(folder, { budget: MORE });
    const { length } = readJournal(whole.folder).records;
    for (const more of [1, 2, 3, 4]) {
      const run = cutAfter(folder, length + more, join(folder, `${more}`));
      const { workspace, winner, verdict, looks } = await readOutcome(run);
      await workspace[Symbol.asyncDispose]();
      expect({ winner, verdict, looks }).toEqual({
        winner: whole.outcome.winner,
        verdict: whole.outcome.verdict,
        looks: 1,
      });
    }
  });
});

describe("an interrupted run", () => {
  test("is refused a budget that it has used, and forgets it", async () => {
    const folder = await begun();
    await expect(resumeRun(folder, { budget: { evaluations: 4 } })).rejects.toThrow(
      `${folder}: expected a budget of at least the 5 evaluations that the run has used, which count in it, found 4 evaluations`,
    );
    await expect(resumeRun(folder, { budget: { seconds: 0.001 } })).rejects.toThrow(
      /expected a budget of more than the \d+ s that the run has used/,
    );
    expect(recorded(folder, "budget")).toEqual([]);
  });

  test("is finished with as many evaluations as it has used", async () => {
    const folder = await begun();
    expect(await resumeRun(folder, { budget: { evaluations: 5 } })).toHaveProperty("verdict");
    expect(recorded(folder, "result")).toHaveLength(1);
  });

  test("forgets the budget of a resumption that failed", async () => {
    const folder = await begun();
    const { base } = whole.outcome.experiment;
    renameSync(base, `${base}.away`);
    try {
      await expect(resumeRun(folder, { budget: MORE })).rejects.toThrow("nothing is at");
    } finally {
      renameSync(`${base}.away`, base);
    }
    const guard = join(base, "..", "rows", "quiz.guard.jsonl");
    const rows = readFileSync(guard, "utf8");
    writeFileSync(guard, rows.replace("guard 0", "other 0"));
    try {
      await expect(resumeRun(folder, { budget: MORE })).rejects.toThrow("rows of quiz");
    } finally {
      writeFileSync(guard, rows);
    }
    expect(recorded(folder, "budget")).toEqual([]);
    expect((await resumeRun(folder)).experiment.budget).toEqual(whole.outcome.experiment.budget);
  });
});

function types(folder: string): JournalRecord["type"][] {
  return readJournal(folder).records.map(({ type }) => type);
}

/** Records but for their times and places. */
function shown(records: readonly { readonly generation: number; readonly points?: NumbersRef }[]): object[] {
  return records.map((record) => ({
    ...untimed(record),
    rowLosses: undefined,
    points: record.points && { ...record.points, offset: undefined },
  }));
}
