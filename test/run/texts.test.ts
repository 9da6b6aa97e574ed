import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mean } from "simple-statistics";
import { expect, test } from "vitest";
import { generate } from "../../src/experiment/generate.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { rouge } from "../../src/rouge/rouge.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { readRows } from "../../src/tasks/rows.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { simulatedMachine } from "../simulated-machine.ts";
import { recorded, traces } from "../tiny-experiment.ts";

const demo = join(import.meta.dirname, "..", "..", "experiments", "demo");

/** An experiment of the demo's base and two of its experts, on a few of its rows of one task that wants texts and one that does not. */
async function fewRows(folder: string, seconds: number): Promise<string> {
  const tasks: Record<string, object> = {};
  for (const [task, name] of [
    ["mcq", "cosmosqa"],
    ["summaries", "xsum"],
  ] as const) {
    for (const [side, count] of [
      ["search", 8],
      ["guard", 5],
    ] as const) {
      const lines = (await readFile(join(demo, `${name}.${side}.jsonl`), "utf8")).split("\n");
      await writeFile(join(folder, `${task}.${side}.jsonl`), `${lines.slice(0, count).join("\n")}\n`);
    }
    tasks[task] = { rows: `${task}.search.jsonl`, guard: `${task}.guard.jsonl` };
  }
  const experts = { news: join(demo, "news"), nature: join(demo, "nature") };
  const space = { method: "task_arithmetic", groups: [["attention", "mlp", "norm", "embedding"]], depth: { dct: 2 } };
  const search = { algorithm: "cma-es", population: 4, rowFraction: 1 };
  const own = {
    base: join(demo, "base"),
    experts,
    space,
    tasks,
    search,
    budget: { time: `${seconds}s` },
    precision: "f32",
  };
  await writeFile(join(folder, "few.yaml"), JSON.stringify(own));
  return join(folder, "few.yaml");
}

const SPEED = { runMs: 100, numberMs: 0.001 } as const;

test("a run tells the ROUGE of what winner and parents write for guard rows that want texts, and replays it", async () => {
  const folder = await temporaryFolder();
  const run = join(folder, "run");
  const { outcome } = await launch(
    await loadExperiment(await fewRows(folder, 600)),
    run,
    await simulatedMachine(SPEED),
  );
  const [texts, ...others] = recorded(run, "texts");
  expect(others).toEqual([]);
  expect(texts).toMatchObject(outcome.texts!);
  expect(texts!.rows).toEqual({ mcq: 0, summaries: 5 });
  expect(texts!.models.map(({ name }) => name)).toEqual(
    ["base", "news", "nature", "evolved merge"].filter(
      (name) => name !== "evolved merge" || outcome.winner.name === name,
    ),
  );

  const guard = await readRows(join(folder, "summaries.guard.jsonl"));
  const prompts = guard.map(({ context }) => context);
  const written = await generate({ model: join(demo, "news"), prompts, until: ["\n"], precision: "f32" });
  const expected = guard.map(({ continuations }, i) => rouge(continuations[0]!, written[i]!.text));
  const scores = texts!.models[1]!.scores["summaries"]!;
  for (const name of ["rouge1", "rouge2", "rougeL"] as const)
    expect(scores[name]).toBeCloseTo(mean(expected.map((own) => own[name].fmeasure)), 12);
  expect(scores.rouge1).toBeGreaterThan(0.9);
  expect(texts!.models[0]!.scores["summaries"]!.rouge1).toBeLessThan(0.9);

  await writeTables(run);
  expect(await readFile(join(run, "evaluations.csv"), "utf8")).toMatch(
    /summaries_rouge1,summaries_rouge2,summaries_rougeL/,
  );
  expect(await readFile(join(run, "report.md"), "utf8")).toContain("| summaries ROUGE-1 / 2 / L |");

  const before = traces(run);
  expect((await resumeRun(run, await simulatedMachine(SPEED))).texts).toEqual(outcome.texts);
  expect(traces(run)).toEqual(before);
});

test("a run writes no texts where that would take time from what is searched on, and says so", async () => {
  const folder = await temporaryFolder();
  const experiment = await loadExperiment(await fewRows(folder, 120));
  const { outcome, events } = await launch(experiment, join(folder, "run"), await simulatedMachine(SPEED));
  expect(outcome.verdict).toBeDefined();
  expect(outcome.texts).toBeUndefined();
  expect(events.at(-1)).toEqual({
    type: "skipped",
    phase: "texts",
    why: "the budget has no time for models to write any; their ROUGE is not told",
  });
});
