import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Journal, readJournal } from "../../../src/journal/journal.ts";
import type { TaskScores } from "../../../src/journal/records.ts";
import { rerankRun } from "../../../src/report/rerank/rerank-run.ts";
import { rerankText } from "../../../src/report/rerank/rerank-text.ts";
import { interrupt, sharedRun } from "../../observed-run.ts";
import { refusal } from "../../refusal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { recorded, tinyExperiment } from "../../tiny-experiment.ts";

const run = sharedRun();

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

test("under its own weights a run has its winner and its verdict", async () => {
  const ranking = await rerankRun(run.folder, { quiz: 1 });
  const { winner, verdict } = run.outcome;
  expect(ranking).toMatchObject({ weights: { quiz: 1, news: 1 }, weightsBefore: { quiz: 1, news: 1 } });
  expect(ranking.winner).toBe(ranking.winnerBefore);
  expect(ranking.models[0]!.loss).toBeCloseTo(winner.loss, 12);
  for (const { loss, lossBefore } of ranking.models) expect(loss).toBe(lossBefore);
  expect(ranking.gain).toBeUndefined();
  const before = new Map(verdict!.models.map((model) => [model.name, model]));
  for (const { name, gains, loss } of ranking.guard!.models) {
    expect(gains).toEqual(before.get(name)!.gains);
    expect(loss).toBeCloseTo(before.get(name)!.loss, 12);
  }
  expect(ranking.guard).toMatchObject({ hasMetWinner: true, looks: 1 });
});

test("other weights rank the models by their losses on all search rows, and compare winners row by row", async () => {
  const { scales } = recorded(run.folder, "baselines")[0]!;
  const [finalists] = recorded(run.folder, "finalists");
  const weighed = (scores: TaskScores, quiz: number, news: number): number =>
    (quiz * (scores["quiz"]!.loss / scales["quiz"]!) + news * (scores["news"]!.loss / scales["news"]!)) / (quiz + news);
  const changed: string[] = [];
  for (const [quiz, news] of [
    [1, 0],
    [0, 1],
    [1, 30],
    [30, 1],
  ] as const) {
    const ranking = await rerankRun(run.folder, { quiz, news });
    const losses = ranking.models.map(({ scores }) => weighed(scores, quiz, news));
    for (const [i, { loss }] of ranking.models.entries()) expect(loss).toBeCloseTo(losses[i]!, 12);
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect(ranking.guard!.looks).toBe(2);
    // All finalists and all baselines that met the same rows.
    for (const { name } of finalists!.models) expect(ranking.models.map((model) => model.name)).toContain(name);
    if (ranking.winner === ranking.winnerBefore) continue;
    changed.push(ranking.winner);
    const [best, other] = [ranking.winner, ranking.winnerBefore].map((name) =>
      ranking.models.find((model) => model.name === name),
    );
    expect(ranking.gain!.gain).toBeCloseTo(other!.loss - best!.loss, 10);
    expect(ranking.gain!.interval[0]).toBeLessThanOrEqual(ranking.gain!.gain);
    expect(ranking.gain!.interval[1]).toBeGreaterThanOrEqual(ranking.gain!.gain);
    expect(rerankText(ranking, 80)).toMatch(/the winner is\s+another: /);
  }
  expect(changed.length).toBeGreaterThan(0);
});

test("the gains on the guard rows are of the losses in the journal, under these weights", async () => {
  const ranking = await rerankRun(run.folder, { quiz: 3, news: 0 });
  const { scales } = recorded(run.folder, "baselines")[0]!;
  const [verdict] = recorded(run.folder, "verdict");
  const all = readJournal(run.folder).readNumbers(verdict!.rowLosses);
  const length = all.length / verdict!.models.length;
  const quizOf = (name: string): number => {
    const at = verdict!.models.findIndex((model) => model.name === name) * length;
    return mean(all.subarray(at, at + verdict!.rows["quiz"]!)) / scales["quiz"]!;
  };
  const judge = ranking.guard!.models.find(({ kind }) => kind === "winner");
  if (!judge) {
    expect(ranking.guard!.hasMetWinner).toBe(false);
    for (const { gains } of ranking.guard!.models) expect(gains).toBeUndefined();
    return;
  }
  for (const { name, gains, loss } of ranking.guard!.models) {
    expect(loss).toBeCloseTo(quizOf(name), 12);
    if (gains) expect(gains.combined.gain).toBeCloseTo(quizOf(name) - quizOf(judge.name), 12);
  }
});

test("neither models nor rows are needed, but for intervals", async () => {
  const folder = await temporaryFolder();
  await tinyExperiment(folder);
  const alone = join(folder, "alone");
  await interrupt(await tinyExperiment(folder), alone, ({ type }) => type === "baselines");
  for (const name of ["base", "nature", "craft"]) rmSync(join(folder, name), { recursive: true });
  expect(await rerankRun(alone, { quiz: 2 })).not.toHaveProperty("withoutRows");
  rmSync(join(folder, "rows"), { recursive: true });
  const ranking = await rerankRun(alone, { quiz: 2 });
  expect(ranking.withoutRows).toMatch(/nothing is at .*quiz\.jsonl/);
  expect(ranking.models.length).toBeGreaterThan(4);
  expect(ranking).not.toHaveProperty("winnerBefore");
  expect(rerankText(ranking, 80)).toContain("the best so far is");

  // A journal of before losses of finalists were recorded.
  const old = withoutFinalistsLosses(join(folder, "old"));
  const { gain, guard, winner, winnerBefore } = await rerankRun(old, { quiz: 0 });
  expect([gain, winnerBefore]).toEqual([undefined, expect.any(String)]);
  expect(winner).toBe((await rerankRun(run.folder, { quiz: 0 })).winner);
  for (const model of guard!.models) expect(model.gains).toBeUndefined();
});

test("a search that is not over stands beside the best on the rows that both met", async () => {
  const folder = await temporaryFolder();
  const search = { algorithm: "cma-es", population: 4, rowFraction: 1 };
  const searching = join(folder, "searching");
  await interrupt(await tinyExperiment(folder, { file: { search } }), searching, ({ type }) => type === "generation");
  const { soFar, winner, models, others } = await rerankRun(searching, { quiz: 2 });
  const best = models.find(({ name }) => name === winner);
  const latest = others.find(({ name }) => name === "generation 0");
  expect(soFar).toMatchObject({ name: "generation 0", rows: { quiz: 16, news: 8 } });
  expect(soFar!.gain.gain).toBeCloseTo(best!.loss - latest!.loss, 10);
});

test("what cannot be ranked is refused in one sentence", async () => {
  const folder = await temporaryFolder();
  expect(await refusal(rerankRun(run.folder, { quizz: 1 }))).toBe(
    `${run.folder}: the run has no task "quizz"; expected quiz, news`,
  );
  expect(await refusal(rerankRun(run.folder, { quiz: 0, news: 0 }))).toBe(
    `${run.folder}: expected weights from 0 to 1e6, not all of them 0; found quiz=0,news=0`,
  );
  expect(await refusal(rerankRun(run.folder, { quiz: -1 }))).toMatch(/found quiz=-1,news=1$/);
  const nothing = join(folder, "nothing");
  await interrupt(await tinyExperiment(folder), nothing, ({ type }) => type === "opened");
  expect(await refusal(rerankRun(nothing, { quiz: 1 }))).toBe(
    `${nothing}: the run has scored no baselines yet, so that there is nothing to rank; let it go on`,
  );
  cpSync(join(run.folder, "journal.jsonl"), join(folder, "journal.jsonl"));
  expect(await refusal(rerankRun(folder, { quiz: 1 }))).toMatch(/numbers/);
});

/** The shared run as earlier versions would have recorded it. */
function withoutFinalistsLosses(folder: string): string {
  const { records } = readJournal(run.folder);
  const [start, ...others] = records;
  if (start?.type !== "start") throw new Error("expected a start");
  const { type: _, format: __, folder: ___, ...identity } = start;
  using journal = Journal.create(folder, identity);
  const numbers = readFileSync(join(run.folder, "numbers.bin"));
  journal.appendNumbers(new Float64Array(new Uint8Array(numbers).buffer));
  for (const record of others) {
    if (record.type === "start") continue;
    if (record.type !== "finalists") journal.append(record);
    else {
      const { rowLosses: ____, ...earlier } = record;
      journal.append(earlier);
    }
  }
  return folder;
}
