import { join } from "node:path";
import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { evaluationRows } from "../../src/report/evaluation-rows.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";

test("a run's candidates have the losses by task that their combined loss is of, and genes in units of the weight", async () => {
  const folder = await temporaryFolder();
  const run = join(folder, "run");
  const recipes = { little: { method: "task_arithmetic", weight: { nature: 0.01, craft: 0.01 } } };
  await launchRun(await tinyExperiment(folder, { file: { recipes } }), run);
  const [baselines] = recorded(run, "baselines");
  const { quiz: quizScale = 0, news: newsScale = 0 } = baselines?.scales ?? {};
  const rows = evaluationRows(readJournal(run)).filter(({ phase }) => phase === "search");
  expect(rows).toHaveLength(10);
  for (const { loss, quiz_loss: quiz, news_loss: news, quiz_rows: quizRows, news_rows: newsRows } of rows) {
    expect((Number(quiz) / quizScale + Number(news) / newsScale) / 2).toBeCloseTo(Number(loss), 12);
    expect([quizRows, newsRows]).toEqual([8, 4]);
  }
  // The first candidate is the recipe, where others do better: the same weight for all experts and layers.
  const genes = Object.entries(rows[0] ?? {}).filter(([name]) => name.includes(".weight."));
  expect(genes).toHaveLength(8);
  for (const [name, value] of genes) expect(value, name).toBeCloseTo(name.endsWith("dct0") ? 0.01 : 0, 12);
});

test.each([
  ["cma-es", ["candidate 0", "candidate 1", "candidate 2", "candidate 3", "mean"], "mean"],
  ["random", ["candidate 0", "candidate 1", "candidate 2", "candidate 3", "best so far"], "best so far"],
  ["lineages", ["candidate 0", "candidate 1", "candidate 2", "candidate 3"], "candidate 0"],
])(
  "the rows of %s name what is beside the candidates, and mark the reference",
  async (algorithm, models, reference) => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    const budget = { evaluations: 16 };
    await launchRun(await tinyExperiment(folder, { file: { budget, search: { algorithm, population: 4 } } }), run);
    const rows = evaluationRows(readJournal(run)).filter(({ generation }) => generation === 0);
    expect(rows.map(({ model }) => model)).toEqual(models);
    expect(rows.filter((row) => row["reference"] === 1).map(({ model }) => model)).toEqual([reference]);
  },
);
