import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Journal } from "../../src/journal/journal.ts";
import type { ModelLosses, NumbersRef, ScoredModel } from "../../src/journal/records.ts";
import { writeBenchmarks } from "../../src/report/benchmarks.ts";
import { writeTables } from "../../src/report/write-tables.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function scored(name: string, quiz: number, news: number): ModelLosses {
  const scores = { quiz: { loss: quiz, accuracy: 0.5 }, news: { loss: news } };
  return { name, scores, loss: (quiz + news) / 2 };
}

function model(name: string, quiz: number, news: number): ScoredModel {
  return { ...scored(name, quiz, news), recipe: { method: "passthrough", model: name } };
}

/** A journal of two generations, with a gene of a column beside two named ones, the last with a candidate that failed. */
async function journalFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  using journal = Journal.create(folder, { experiment: {}, identity: {}, versions: {} });
  const losses = (): { rowLosses: NumbersRef } => ({ rowLosses: journal.appendNumbers(Float64Array.of(1)) });
  const elapsedMs = 1500;
  const models = [model("base", 1.5, 2), model("nature", 1, 1.25)];
  journal.append({ type: "parents", tensors: {} });
  const time = { models: 1, tokens: 16, passes: 1, ms: 1, waitMs: 0 };
  const none = { quiz: 0, news: 0 };
  const expected = { baselinesMs: 1, generationMs: 1, finishMs: 1, generations: 2, wholeMs: 1, isSmall: false };
  journal.append({
    type: "forecast",
    models: [{ name: "base", scores: {} }],
    from: none,
    to: none,
    rowLosses: journal.appendNumbers(new Float64Array()),
    firstTime: time,
    time,
    ...expected,
    elapsedMs,
  });
  const baselines = models.map((own, i) => ({ ...own, rows: { quiz: 4 - 2 * i, news: 3 } }));
  journal.append({ type: "baselines", models: baselines, skipped: [], scales: { quiz: 1, news: 1 }, elapsedMs });
  const genes = ["nature.all.weight", "craft.all.weight"];
  const ranges = [
    [0, 2],
    [-1, 1],
  ] as const;
  const start = journal.appendNumbers(Float64Array.of(0, 0, 0.5));
  const planned = { columns: 1, start, candidates: 4, rowFraction: 1, elapsedMs };
  journal.append({ type: "plan", algorithm: "cma-es", genes, ranges, ...planned });
  for (const [generation, found] of [
    [0.75, 0.5, 1],
    [Number.NaN, 0.25, 0.5],
  ].entries()) {
    const losses = [...found, 0.6];
    const points = journal.appendNumbers(Float64Array.from(losses.flatMap((_, i) => [i / 4, generation / 8, 0.75])));
    journal.append({ type: "ask", generation, points, rows: { quiz: 2, news: 1 } });
    const perRow = losses.flatMap((loss) => [loss, loss + 1, loss / 2]);
    journal.append({
      type: "result",
      generation,
      losses,
      reference: 3,
      rowLosses: journal.appendNumbers(Float64Array.from(perRow)),
      work: 2,
      spent: (generation + 1) / 2,
      time,
      elapsedMs: 2000 + generation,
    });
  }
  const [winner] = models as [ScoredModel];
  journal.append({
    type: "finalists",
    models: [scored("last mean", 0.5, 0.25)],
    winner,
    rows: { quiz: 4, news: 3 },
    time,
    elapsedMs,
  });
  const guarded = { ...winner, kind: "winner", intervals: { quiz: [1, 2], news: [1.5, 2.5] } } as const;
  journal.append({
    type: "verdict",
    models: [guarded],
    groups: { quiz: 9, news: 9 },
    weightsDigest: "00",
    rows: { quiz: 2, news: 2 },
    outOf: { quiz: 2, news: 2 },
    ...losses(),
    time,
    elapsedMs,
  });
  return folder;
}

describe("writeTables", () => {
  test("writes every scored model with its rows, candidates with their genes in units of the parameter", async () => {
    const folder = await journalFolder();
    await writeTables(folder);
    expect(await readFile(join(folder, "evaluations.csv"), "utf8")).toMatchInlineSnapshot(`
      "phase,model,loss,quiz_loss,quiz_accuracy,news_loss,quiz_rows,news_rows,generation,reference,work,nature.all.weight,craft.all.weight
      baselines,base,1.75,1.5,0.5,2,4,3,,,,,
      baselines,nature,1.125,1,0.5,1.25,2,3,,,,,
      search,candidate 0,0.75,1.25,,0.375,2,1,0,0,0.5,0,-1
      search,candidate 1,0.5,1,,0.25,2,1,0,0,0.5,0.5,-1
      search,candidate 2,1,1.5,,0.5,2,1,0,0,0.5,1,-1
      search,mean,0.6,1.1,,0.3,2,1,0,1,0.5,1.5,-1
      search,candidate 0,NaN,NaN,,NaN,2,1,1,0,0.5,0,-0.75
      search,candidate 1,0.25,0.75,,0.125,2,1,1,0,0.5,0.5,-0.75
      search,candidate 2,0.5,1,,0.25,2,1,1,0,0.5,1,-0.75
      search,mean,0.6,1.1,,0.3,2,1,1,1,0.5,1.5,-0.75
      finalists,last mean,0.375,0.5,0.5,0.25,4,3,,,,,
      guard,base,1.75,1.5,0.5,2,2,2,,,,,
      "
    `);
  });

  test("writes a line a generation, over the candidates that did not fail", async () => {
    const folder = await journalFolder();
    await writeTables(folder);
    expect(await readFile(join(folder, "generations.csv"), "utf8")).toMatchInlineSnapshot(`
      "generation,best_loss,median_loss,reference_loss,failed,work,spent,elapsed_s
      0,0.5,0.75,0.6,0,2,0.5,2
      1,0.25,0.5,0.6,1,2,1,2.001
      "
    `);
  });

  test("replaces earlier tables, and writes the columns of a run without results", async () => {
    const folder = await journalFolder();
    await writeTables(folder);
    await writeTables(folder);
    expect((await readdir(folder)).toSorted()).toEqual([
      "evaluations.csv",
      "generations.csv",
      "journal.jsonl",
      "numbers.bin",
      "report.md",
    ]);
    const empty = join(await temporaryFolder(), "run");
    Journal.create(empty, { experiment: {}, identity: {}, versions: {} }).close();
    await writeTables(empty);
    expect(await readFile(join(empty, "evaluations.csv"), "utf8")).toBe("phase,model,loss\n");
    expect(await readFile(join(empty, "generations.csv"), "utf8")).toBe(
      "generation,best_loss,median_loss,reference_loss,failed,work,spent,elapsed_s\n",
    );
  });

  test("adds what was evaluated to report.md and writes it as benchmarks.csv", async () => {
    const folder = await journalFolder();
    await mkdir(join(folder, "lm_eval"));
    await writeBenchmarks(folder, [
      {
        task: "quiz",
        arguments: ["--tasks", "quiz"],
        lmEvalVersion: "0.4.13",
        models: [
          {
            name: "base",
            kind: "parent",
            source: "/models/base",
            seconds: 2.5,
            scores: { quiz: { isPart: false, documents: 40, metrics: { acc: { value: 0.25, stderr: 0.05 } } } },
            gains: { quiz: { gain: 0.5, interval: [0.25, 0.75], pValue: 0.001 } },
          },
        ],
      },
    ]);
    await writeTables(folder);
    expect(await readFile(join(folder, "benchmarks.csv"), "utf8")).toMatchInlineSnapshot(`
      "asked,lm_eval,model,task,metric,value,stderr,documents,seconds,winner_gain,gain_lower,gain_upper,p
      --tasks quiz,0.4.13,base,quiz,acc,0.25,0.05,40,2.5,0.5,0.25,0.75,0.001
      "
    `);
    expect(await readFile(join(folder, "report.md"), "utf8")).toContain("\n| base | 0.2500 ± 0.0500 |");
  });

  test("refuses damaged benchmarks", async () => {
    const folder = await journalFolder();
    await mkdir(join(folder, "lm_eval"));
    await writeFile(join(folder, "lm_eval", "benchmarks.json"), "[{}]");
    await expect(writeTables(folder)).rejects.toThrow("benchmarks.json is damaged; delete it and evaluate again");
  });
});
