import { join } from "node:path";
import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, tinyExperiment, writeRows } from "../tiny-experiment.ts";

test("a verdict counts groups of uneven size as those of equal size that tell as much", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const guard = quizRows("guard", 8).map((row, i) => Object.assign({ group: Math.max(0, i - 5) }, row));
  await writeRows(join(folder, "rows", "quiz.guard.jsonl"), guard);
  await launchRun(experiment, join(folder, "run"));
  // Six rows of one group, and two alone; a journal is read again with what it was given.
  const verdicts = readJournal(join(folder, "run")).records.filter(({ type }) => type === "verdict");
  expect(verdicts).toMatchObject([{ groups: { quiz: 64 / 38, news: 6 } }]);
});
