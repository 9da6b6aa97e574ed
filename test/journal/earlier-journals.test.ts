import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { RecordPayloads } from "../../src/journal/records.ts";
import { compareRuns } from "../../src/report/compare/compare-runs.ts";
import { rerankRun } from "../../src/report/rerank/rerank-run.ts";
import { readRunStatus } from "../../src/report/runs/run-status.ts";
import { guardRowsOrWhyNot, writeReport } from "../../src/report/write-report.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { cutAfter } from "../cut-run.ts";
import earlierRuns from "../fixtures/journal/runs.json" with { type: "json" };
import { simulatedMachine, type Speed } from "../simulated-machine.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, writeTinyExperiment } from "../tiny-experiment.ts";
import type { TinyModel } from "../tiny-model.ts";

/** Runs of earlier programs, by name; write-runs.sh made their journals. */
const runs: Readonly<Record<string, { readonly revision: string; readonly model?: object; readonly speed?: Speed }>> =
  earlierRuns;
const fixtures = join(import.meta.dirname, "..", "fixtures", "journal");

/** The run as its program left it, beside the models and rows that it was made of. */
async function restored(name: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeTinyExperiment(folder, { model: runs[name]!.model as TinyModel });
  const run = join(folder, "run");
  for (const file of readdirSync(join(fixtures, name))) {
    cpSync(join(fixtures, name, file), join(file.endsWith(".mjs") ? folder : run, file));
  }
  return run;
}

async function machineOf(name: string): Promise<object> {
  const { speed } = runs[name]!;
  return speed ? simulatedMachine(speed) : {};
}

/** The points of each generation, to the bit: they follow from what was recorded before them. */
function asked(run: string): readonly string[] {
  return recorded(run, "ask").map(({ points, rows }) => `${points.checksum} ${JSON.stringify(rows)}`);
}

function guardLosses(run: string): Readonly<Record<string, number>> {
  const [{ models } = noVerdict()] = recorded(run, "verdict");
  return Object.fromEntries(models.map(({ name, loss }) => [name, loss]));
}

function noVerdict(): RecordPayloads["verdict"] {
  throw new Error("expected a verdict");
}

test("what later versions left out or added is in these journals as their programs wrote it", () => {
  const records = Object.keys(runs).map((name) => {
    const all = readJournal(join(fixtures, name)).records;
    return [name, new Set(all.flatMap((record) => Object.keys(record).map((key) => `${record.type}.${key}`)))] as const;
  });
  const having = (field: string): string[] => records.filter(([, all]) => all.has(field)).map(([name]) => name);
  expect(having("texts.models")).toEqual(["texts"]);
  expect(having("plan.columns")).toEqual(["gradients"]);
  expect(having("result.gradients")).toEqual(["gradients", "front"]);
  expect(having("start.looks")).toEqual(["begun-from-another", "distribution"]);
  expect(having("start.searched")).toEqual([]);
  expect(having("start.parts")).toEqual([]);
  expect(having("finalists.front")).toEqual(["front", "front-of-a-population"]);
  expect(having("finalists.rowLosses")).not.toContain("first-of-format-7");
  expect(having("finalists.rowLosses")).toContain("losses-of-finalists");
  expect(having("verdict.picks").length).toBeGreaterThan(0);
});

describe.each(Object.keys(runs))("the journal of an earlier version, %s,", (name) => {
  test("is shown, ranked, compared and reported", async () => {
    const run = await restored(name);
    const { status } = readRunStatus(run);
    expect(status.state).toBe("finished");
    expect((await rerankRun(run, { quiz: 2 })).models.length).toBeGreaterThan(3);
    expect(await guardRowsOrWhyNot(run, readJournal(run))).not.toBeTypeOf("string");
    expect(existsSync((await writeReport(run)).page)).toBe(true);
    await writeTables(run);
    const other = cutAfter(run, readJournal(run).records.length, join(run, "..", "other"));
    const { gains, notes, differences } = await compareRuns([run, other]);
    expect(notes).toEqual([]);
    expect(gains.map(({ combined }) => combined.gain)).toEqual([0]);
    expect(differences.rows).toEqual([]);
  });

  test("is exported with the weights that its verdict was on", async () => {
    const run = await restored(name);
    const [{ weightsDigest } = noVerdict()] = recorded(run, "verdict");
    expect((await exportRun(run, await machineOf(name))).weightsDigest).toBe(weightsDigest);
  });

  test("is gone on with from its last generation, and from its end with more budget", async () => {
    const run = await restored(name);
    const { records } = readJournal(run);
    const cut = cutAfter(
      run,
      records.findLastIndex(({ type }) => type === "ask"),
      join(run, "..", "cut"),
    );
    await resumeRun(cut, await machineOf(name));
    expect(asked(cut).slice(0, asked(run).length)).toEqual(asked(run));
    for (const [model, loss] of Object.entries(guardLosses(cut))) {
      if (model !== "evolved merge") expect(loss, model).toBeCloseTo(guardLosses(run)[model]!, 4);
    }

    const before = recorded(run, "result").length;
    const budget = runs[name]!.speed ? { seconds: 40 } : { evaluations: 60 };
    await resumeRun(run, { ...(await machineOf(name)), budget });
    expect(recorded(run, "result").length).toBeGreaterThan(before);
    expect(recorded(run, "finalists")).toHaveLength(2);
  });
});
