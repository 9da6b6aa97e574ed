import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import annotators from "../../experiments/plugins/annotators.mjs";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { openExperiment } from "../../src/library/open-experiment.ts";
import { verdictTable } from "../../src/report/verdict-table.ts";
import { readRunView, writeReport } from "../../src/report/write-report.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded } from "../tiny-experiment.ts";
import { writeExample } from "./votes-experiment.ts";

/** Of baselines on search rows and of what was judged on guard rows. */
function scoresIn(run: string): unknown {
  return [recorded(run, "baselines"), recorded(run, "verdict")].map((steps) =>
    steps.at(-1)?.models.map(({ scores }) => scores),
  );
}

test("the example's Brier score is the squared distance of probabilities from shares", () => {
  const { brier } = annotators.tasks!["votes"]!.metrics!;
  const row = { context: "Where?", answers: ["in", "out"], data: { shares: [0.75, 0.25] } };
  expect(brier!(row, [-3, -3])).toBeCloseTo(0.125, 12);
  expect(brier!(row, [-1000 + Math.log(3), -1000])).toBeCloseTo(0, 12);
  expect(brier!(row, [0, -1000])).toBeCloseTo(0.125, 12);
});

test("a plugin's metrics stand beside losses in journal, tables, report, page and what the library returns", async () => {
  const folder = await temporaryFolder();
  const experiment = await loadExperiment(await writeExample(folder));
  const run = join(folder, "run");
  const { winner, verdict } = await launchRun(experiment, run);

  // By hand, from log-likelihoods: of eight votes on four answers, five are for the right one.
  await using opened = await openExperiment(experiment);
  const [scored] = await opened.score([winner.recipe], { rows: "guard" });
  const { guard: rows = [] } = opened.tasks[0] ?? {};
  const distances = rows.map(({ label }, i) => {
    const odds = scored!.rows["votes"]![i]!.logLikelihoods.map(Math.exp);
    const total = odds.reduce((sum, one) => sum + one, 0);
    return odds.reduce((sum, one, answer) => sum + (one / total - (answer === label ? 5 : 1) / 8) ** 2, 0);
  });
  const brier = distances.reduce((sum, one) => sum + one, 0) / rows.length;
  expect([rows.length, scored?.tasks["votes"]?.metrics]).toEqual([8, { brier: expect.closeTo(brier, 9) }]);

  const judged = verdict!.models.find(({ kind }) => kind === "winner");
  expect(judged?.scores["votes"]?.metrics).toEqual({ brier: expect.closeTo(brier, 9) });
  const [recordedVerdict] = recorded(run, "verdict");
  expect(recordedVerdict?.models).toEqual(verdict!.models);
  const { header, rows: lines } = verdictTable(verdict!.models, ["votes"], 1);
  const column = header.indexOf("votes brier");
  expect(lines.at(-1)?.[column]).toBe(brier.toFixed(3));
  const view = await readRunView(run);
  expect(view.verdict?.table.rows.at(-1)?.[column]).toBe(brier.toFixed(3));

  await writeTables(run);
  const text = await readFile(join(run, "evaluations.csv"), "utf8");
  const evaluations = parse(text, { columns: true }) as Record<string, string>[];
  const ofWinner = evaluations.find(({ phase, model }) => phase === "guard" && model === winner.name);
  expect(Number(ofWinner?.["votes_brier"])).toBeCloseTo(brier, 9);
  expect(evaluations.filter(({ phase }) => phase === "baselines").every((one) => one["votes_brier"] !== "")).toBe(true);
  expect(await readFile(join(run, "report.md"), "utf8")).toMatch(/\| votes brier \|/);
  const { page } = await writeReport(run);
  expect(await readFile(page, "utf8")).toMatch(/<th[^>]*>votes brier</);
});

test("a resumed run has the metrics of one that never stopped", async () => {
  const folder = await temporaryFolder();
  const experiment = await loadExperiment(await writeExample(folder));
  const [run, half] = [join(folder, "run"), join(folder, "half")];
  await launchRun(experiment, run);
  await launchRun({ ...experiment, budget: { evaluations: 9 } }, half);
  await resumeRun(half, { budget: { evaluations: 18 } });
  expect(scoresIn(half)).toEqual(scoresIn(run));
});
