import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resumeRun } from "../../src/run/resume-run.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { interrupt, launch, sharedRun } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

const whole = sharedRun();

test("a run searches, judges and reports by the loss that a task names, and resumes with it to the same bits", async () => {
  const folder = await temporaryFolder();
  const quiz = { rows: "rows/quiz.jsonl", guard: "rows/quiz.guard.jsonl", loss: "bounded" };
  const news = { rows: "rows/news.jsonl", guard: "rows/news.guard.jsonl" };
  const experiment = await tinyExperiment(folder, { file: { tasks: { quiz, news } } });
  const run = await launch(experiment, join(folder, "run"));
  const parts = join(folder, "parts");
  await interrupt(experiment, parts, ({ type }) => type === "generation");
  await resumeRun(parts);
  expect(traces(parts)).toEqual(traces(run.folder));

  const [baselines] = recorded(run.folder, "baselines");
  const [others] = recorded(whole.folder, "baselines");
  for (const [i, { scores }] of baselines!.models.entries()) {
    // As accurate, but a loss of another unit: by Jensen's inequality a mean of bounded losses is below the loss of the mean of surprises.
    const { quiz: softmax, news: text } = others!.models[i]!.scores;
    expect(scores["quiz"]!.accuracy).toBe(softmax!.accuracy);
    expect(scores["quiz"]!.loss).toBeLessThanOrEqual(-Math.expm1(-0.7 * softmax!.loss) / 0.7 + 1e-9);
    expect(scores["news"]!.loss).toBe(text!.loss);
  }
  await writeTables(run.folder);
  expect(await readFile(join(run.folder, "report.md"), "utf8")).toContain(
    "Loss of quiz: (1 - p^0.7) / 0.7, where p is the probability of the right answer among the answers; of news: nats per byte.",
  );
});
