import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { expectations, time } from "../journal/crafted-records.ts";
import { interrupt, launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment, traces } from "../tiny-experiment.ts";

let folder = "";
let run = "";
let experiment: Experiment;
beforeEach(async () => {
  folder = await temporaryFolder();
  run = join(folder, "run");
  experiment = await tinyExperiment(folder);
});

/** A run that ends before it has scored anything. */
async function fail(): Promise<void> {
  await interrupt(experiment, run, ({ type }) => type === "opened");
  expect(readJournal(run).records.map(({ type }) => type)).toEqual(["start"]);
}

describe("a run that ended before anything was scored", () => {
  test("is started again in its folder, and leaves what a first one leaves", async () => {
    await fail();
    await writeTables(run);
    using journal = Journal.open(run);
    journal.append({ type: "budget", budget: { seconds: 60 } });
    journal.close();
    const { events } = await launch(experiment, run);
    const text = `the run in ${run} ended before anything was scored; this one takes its place`;
    expect(events[0]).toEqual({ type: "notice", text });
    await launchRun(experiment, join(folder, "other"));
    expect(traces(run)).toEqual(traces(join(folder, "other")));
  });

  test("is started again where its next record was torn", async () => {
    await fail();
    appendFileSync(join(run, "journal.jsonl"), '{"sequence":1,');
    writeFileSync(join(run, "numbers.bin"), Buffer.alloc(24));
    await launchRun(withOverrides(experiment, { seed: 2 }), run);
    expect(readJournal(run).records.at(-1)).toMatchObject({ type: "verdict" });
  });

  test("is not where another process holds it", async () => {
    await fail();
    using _ = Journal.open(run);
    await expect(launchRun(experiment, run)).rejects.toThrow(`${run} is in use by `);
    expect(readJournal(run).records).toHaveLength(1);
  });

  test.each(["best", "lm_eval", "benchmarks.csv"])("is not where %s lies in its folder", async (name) => {
    await fail();
    mkdirSync(join(run, name));
    await expect(launchRun(experiment, run)).rejects.toThrow(`${join(run, name)} belongs to no run here`);
    expect(existsSync(join(run, name))).toBe(true);
  });
});

test("a run of which anything was scored is not started again", async () => {
  await fail();
  using journal = Journal.open(run);
  journal.append({ type: "parents", tensors: {} });
  journal.append({
    type: "forecast",
    models: [{ name: "uniform average", scores: { quiz: { loss: 1 } } }],
    from: { quiz: 0 },
    to: { quiz: 1 },
    rowLosses: journal.appendNumbers(Float64Array.of(1)),
    firstTime: time,
    time,
    ...expectations,
    elapsedMs: 1,
  });
  journal.close();
  const before = traces(run);
  await expect(launchRun(experiment, run)).rejects.toThrow(
    `${run} already holds a run; resume it or choose another folder`,
  );
  expect(traces(run)).toEqual(before);
});

test("a journal that cannot be read is not replaced", async () => {
  await fail();
  appendFileSync(join(run, "journal.jsonl"), "{}\n{}\n");
  await expect(launchRun(experiment, run)).rejects.toThrow(`${run} already holds a run`);
});
