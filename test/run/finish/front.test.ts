import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Experiment } from "../../../src/experiment/experiment.ts";
import { readJournal } from "../../../src/journal/journal.ts";
import { standingOf } from "../../../src/journal/standing.ts";
import type { FrontMember, ModelLosses } from "../../../src/journal/records.ts";
import { frontAmong, picksOf, placeOnFront, recipeAt } from "../../../src/run/finish/front.ts";
import { readRunView } from "../../../src/report/write-report.ts";
import { resumeRun } from "../../../src/run/resume-run.ts";
import { cutAfter } from "../../cut-run.ts";
import { launch } from "../../observed-run.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { quizRows, recorded, tinyExperiment, traces, writeRows } from "../../tiny-experiment.ts";

const searches = {
  "front-walk": { search: { algorithm: "front-walk", rowFraction: 0.5 }, budget: { evaluations: 60 } },
  nsga2: { search: { algorithm: "nsga2", population: 4, rowFraction: 0.5 }, budget: { evaluations: 15 } },
};

async function experimentOf(file: object): Promise<Experiment> {
  return tinyExperiment(await temporaryFolder(), { file: { ...file }, model: { dtype: "f32" } });
}

describe.each(Object.entries(searches))("a search for a front by %s", (name, file) => {
  test("leads to models of which none is better than another on every task, by the loss of the first", async () => {
    const { folder, outcome } = await launch(await experimentOf(file), join(await temporaryFolder(), "run"));
    const [{ front = [], models, rows } = none()] = recorded(folder, "finalists");
    expect(recorded(folder, "result")).toHaveLength(3);
    expect(models.length).toBeGreaterThan(0);
    expect(rows).toEqual({ quiz: 16, news: 8 });
    const quiz = front.map(({ scores }) => scores["quiz"]!.loss);
    expect(quiz).toEqual(quiz.toSorted((a, b) => a - b));
    const news = front.map(({ scores }) => scores["news"]!.loss);
    expect(news).toEqual(news.toSorted((a, b) => b - a));
    // The least combined loss of all is on the front.
    expect(front.map(({ loss }) => loss)).toContain(outcome.winner.loss);
    expect(standingOf(readJournal(folder).records).front).toEqual(front);
    for (const { place } of picksOf(front)) expect(recipeAt(outcome.front!, place)).toBeDefined();
  });

  test("goes on from any record to what an uninterrupted run leaves", async () => {
    const { folder } = await launch(await experimentOf(file), join(await temporaryFolder(), "run"));
    const { length } = readJournal(folder).records;
    const cuts = await temporaryFolder();
    for (let records = 1; records <= length; records += 2) {
      const run = cutAfter(folder, records, join(cuts, `${records}`));
      await resumeRun(run);
      expect(traces(run), `${name} after record ${records} of ${length}`).toEqual(traces(folder));
    }
  });

  test("has picks of its front judged on the guard rows beside the verdict, and as many as there are", async () => {
    const { folder, outcome } = await launch(await experimentOf(file), join(await temporaryFolder(), "run"));
    const [{ picks = [], models } = none()] = recorded(folder, "verdict");
    expect(models.at(-1)!.kind).toBe("winner");
    const { members } = outcome.front!;
    const judged = picks.map(({ place }) => place);
    const inVerdict = new Set(models.map((model) => model.name));
    const expected = picksOf(members)
      .map(({ place }) => place)
      .filter((place) => {
        const { of, scores } = members[place - 1]!;
        return !inVerdict.has(of) && JSON.stringify(scores) !== JSON.stringify(outcome.winner.scores);
      });
    expect(new Set(judged)).toEqual(new Set(expected));
    for (const { intervals, scores } of picks) {
      expect(intervals["quiz"]![0]).toBeLessThanOrEqual(scores["quiz"]!.loss);
      expect(intervals["quiz"]![1]).toBeGreaterThanOrEqual(scores["quiz"]!.loss);
    }
    expect(outcome.picks ?? []).toEqual(picks);
  });

  test("finds another front with another budget, whose places are others", async () => {
    const { folder } = await launch(await experimentOf(file), join(await temporaryFolder(), "run"));
    const budget = { evaluations: 2 * file.budget.evaluations };
    const again = await resumeRun(folder, { budget });
    const fronts = recorded(folder, "finalists").map(({ front }) => front);
    expect(fronts).toHaveLength(2);
    expect(again.front!.members).toEqual(fronts[1]);
    expect(standingOf(readJournal(folder).records).front).toEqual(fronts[1]);
    for (const place of again.front!.members.keys()) expect(recipeAt(again.front!, place + 1)).toBeDefined();
  });
});

test.each(Object.entries(searches))(
  "three tasks have a front, picks and a plot for each two of them, by %s",
  async (_, file) => {
    const folder = await temporaryFolder();
    const riddles = { rows: "riddles.jsonl", guard: "riddles.guard.jsonl" };
    await writeRows(join(folder, riddles.rows), quizRows("riddle", 8));
    await writeRows(join(folder, riddles.guard), quizRows("other riddle", 6));
    const tasks = {
      quiz: { rows: "rows/quiz.jsonl", guard: "rows/quiz.guard.jsonl" },
      riddles,
      news: { rows: "rows/news.jsonl", guard: "rows/news.guard.jsonl" },
    };
    const given = { ...file, tasks, budget: { evaluations: 2 * file.budget.evaluations } };
    const experiment = await tinyExperiment(folder, { file: given, model: { dtype: "f32" } });
    const { folder: run, outcome } = await launch(experiment, join(folder, "run"));
    const { members } = outcome.front!;
    for (const { scores } of members) expect(Object.keys(scores)).toEqual(["quiz", "riddles", "news"]);
    const picks = picksOf(members);
    expect(picks.map(({ name }) => name)).toEqual(["knee", "quiz", "riddles", "news"]);
    for (const { name, isKnee, place } of picks) {
      if (isKnee) continue;
      const lossOf = ({ scores }: FrontMember): number => scores[name]!.loss;
      expect(lossOf(members[place - 1]!)).toBe(Math.min(...members.map(lossOf)));
    }
    const { pairs, front } = await readRunView(run);
    expect(pairs.map(({ tasks: both }) => both)).toEqual([
      ["quiz", "riddles"],
      ["quiz", "news"],
      ["riddles", "news"],
    ]);
    expect(front!.table.rows).toHaveLength(members.length);
  },
);

describe("a front-walk", () => {
  test("goes down the gradients of its own weighings: those between tasks are of the same mixture", async () => {
    const search = { algorithm: "front-walk", rowFraction: 1, seedFromBaselines: false };
    const experiment = await experimentOf({ search, budget: { evaluations: 20 } });
    const { folder } = await launch(experiment, join(await temporaryFolder(), "run"));
    const [{ gradients } = none()] = recorded(folder, "result");
    const all = readJournal(folder).readNumbers(gradients!);
    const n = all.length / 5;
    const [all5, quiz, near, far, news] = Array.from({ length: 5 }, (_, i) => all.slice(i * n, (i + 1) * n));
    const scale = Math.max(...quiz!.map(Math.abs), ...news!.map(Math.abs));
    const isMixture = (mixed: Float64Array, share: number): void => {
      for (const j of mixed.keys()) {
        const expected = share * quiz![j]! + (1 - share) * news![j]!;
        expect(Math.abs(mixed[j]! - expected)).toBeLessThan(1e-4 * scale);
      }
    };
    expect(scale).toBeGreaterThan(0);
    expect(quiz).not.toEqual(news);
    isMixture(all5!, 1 / 2);
    isMixture(near!, 3 / 4);
    isMixture(far!, 1 / 4);
  });
});

describe("NSGA-II", () => {
  test("meets the same rows in every generation, so that what it knows of a point stays true", async () => {
    const { folder } = await launch(await experimentOf(searches.nsga2), join(await temporaryFolder(), "run"));
    const results = recorded(folder, "result");
    const least = results.map(({ losses }) => Math.min(...losses));
    for (const [i, { losses, reference }] of results.slice(1).entries()) {
      expect(losses[reference]).toBe(Math.min(...least.slice(0, i + 1)));
    }
    expect(new Set(recorded(folder, "ask").map(({ rows }) => JSON.stringify(rows))).size).toBe(1);
  });
});

describe("picks of a front", () => {
  const front = [member("a", 0, 9), member("b", 1, 2), member("c", 5, 1)];

  test("are the knee, farthest from the line between the ends, and the best on each task", () => {
    expect(picksOf(front).map(({ name, place }) => [name, place])).toEqual([
      ["knee", 2],
      ["quiz", 1],
      ["news", 3],
    ]);
    expect(picksOf(front.slice(0, 1)).map(({ place }) => place)).toEqual([1, 1, 1]);
  });

  test("are named by the knee, a task or a place, or refused with what there is", () => {
    expect(["knee", "quiz", "news", "1", "3", "03"].map((pick) => placeOnFront(front, pick))).toEqual([
      2, 1, 3, 1, 3, 3,
    ]);
    for (const pick of ["0", "4", "-1", "1.5", "", "winner", "<script>", "9".repeat(10_000)]) {
      expect(() => placeOnFront(front, pick)).toThrow(
        "--pick: expected knee, a task (quiz, news) or a place on the front from 1 to 3, found ",
      );
    }
  });
});

test("a front leaves out what is as good as another or worse, and what failed on a task", () => {
  const models: ModelLosses[] = [
    ["a", 1, 1],
    ["b", 1, 1],
    ["c", 2, 2],
    ["d", Number.NaN, 0],
    ["e", 0, 3],
  ].map(([name, quiz, news]) => ({ ...member("", quiz as number, news as number), name: name as string }));
  expect(frontAmong(models)?.map(({ of }) => of)).toEqual(["e", "a"]);
  expect(frontAmong([])).toBeUndefined();
});

function member(of: string, quiz: number, news: number): FrontMember {
  return { of, scores: { quiz: { loss: quiz }, news: { loss: news } }, loss: quiz + news };
}

function none(): never {
  throw new Error("the run has no such record");
}
