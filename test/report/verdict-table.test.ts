import { describe, expect, test } from "vitest";
import { EVOLVED, type Gain, type GuardedModel } from "../../src/journal/records.ts";
import { markdownTable } from "../../src/report/table.ts";
import { alignedText } from "../../src/report/text/text-table.ts";
import { verdictSentences, verdictTable } from "../../src/report/verdict-table.ts";

const recipe = { method: "passthrough", model: "base" } as const;

function gain(value: number, pValue: number): Gain {
  return { gain: value, interval: [value - 0.1, value + 0.1], pValue };
}

const expert: GuardedModel = {
  name: "nature",
  kind: "parent",
  recipe,
  scores: { quiz: { loss: 1.25, accuracy: 0.5 }, news: { loss: 0.75 } },
  loss: 1.1234,
  intervals: { quiz: [1, 1.5], news: [0.7, 0.8] },
  gains: { combined: gain(0.3, 0.0001), tasks: { quiz: gain(0.5, 0.02), news: gain(-0.05, 0.4) } },
};
const average: GuardedModel = {
  ...expert,
  name: "uniform average",
  kind: "average",
  loss: 1,
  gains: { combined: gain(0.04, 0.35), tasks: { quiz: gain(0, 1), news: gain(-0.2, 0.01) } },
};
const groups = { quiz: 30, news: 200 };
const { gains: _, ...scored } = expert;
const winner: GuardedModel = { ...scored, name: EVOLVED, kind: "winner", loss: 0.8234 };

describe("verdictTable", () => {
  const table = verdictTable([expert, average, winner], ["quiz", "news"], 1);

  test("has a line a model, aligned for a terminal", () => {
    expect(alignedText(table)).toMatchInlineSnapshot(`
      "model            combined            winner's gain  p (Holm)         winner is             quiz loss  quiz accuracy             news loss
      ---------------  --------  -----------------------  --------  ----------------  --------------------  -------------  --------------------
      nature              1.123  +0.300 [+0.200, +0.400]    0.0002  better by 26.7 %  1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]
      uniform average     1.000  +0.040 [-0.060, +0.140]    0.3500           neither  1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]
      evolved merge       0.823                                                       1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]"
    `);
  });

  test("shows what rows leave open as infinite", () => {
    const open: Gain = { gain: 0.3, interval: [-Infinity, Infinity], pValue: 1 };
    const intervals = { quiz: [-Infinity, Infinity] } as const;
    const alone = { ...expert, intervals, gains: { combined: open, tasks: { quiz: open } } };
    expect(verdictTable([alone], ["quiz"], 1).rows[0]!.slice(1)).toEqual([
      "1.123",
      "+0.300 [-∞, +∞]",
      "1.0000",
      "neither",
      "1.250 [-∞, ∞]",
      "0.500",
    ]);
  });

  test("has columns for what a plugin's task measures, empty where a model has no such mean", () => {
    const quiz = { loss: 1.25, accuracy: 0.5, metrics: { brier: 0.125 } };
    const measured = { ...expert, scores: { ...expert.scores, quiz } };
    const other = { ...winner, scores: { ...winner.scores, quiz: { loss: 1, metrics: { toString: NaN } } } };
    const { header, rows } = verdictTable([measured, other], ["quiz", "news"], 1);
    expect(header.slice(5)).toEqual(["quiz loss", "quiz accuracy", "quiz brier", "quiz toString", "news loss"]);
    expect(rows.map((row) => row.slice(6, 9))).toEqual([
      ["0.500", "0.125", ""],
      ["", "", "NaN"],
    ]);
  });

  test("and for Markdown", () => {
    expect(markdownTable(table)).toMatchInlineSnapshot(`
      "| model | combined | winner's gain | p (Holm) | winner is | quiz loss | quiz accuracy | news loss |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | nature | 1.123 | +0.300 [+0.200, +0.400] | 0.0002 | better by 26.7 % | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] |
      | uniform average | 1.000 | +0.040 [-0.060, +0.140] | 0.3500 | neither | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] |
      | evolved merge | 0.823 |  |  |  | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] |"
    `);
  });
});

const sentences = (...models: readonly GuardedModel[]): string[] => verdictSentences({ models, groups }, 1);

describe("verdictSentences", () => {
  test("say how the winner compares with each model and by how much, on all tasks and on each", () => {
    expect(sentences(expert, average, winner)).toMatchInlineSnapshot(`
      [
        "The winner is significantly better than nature on the tasks combined, by 26.7 % of its loss (quiz: neither, news: neither).",
        "The winner is neither significantly better nor worse than uniform average on the tasks combined.",
      ]
    `);
  });

  test("name no tasks where there is only one", () => {
    const gains = { combined: gain(-0.3, 0.049), tasks: { quiz: gain(-0.3, 0.049) } };
    expect(sentences({ ...expert, gains }, winner)).toEqual([
      "The winner is significantly worse than nature, by 26.7 % of its loss.",
    ]);
  });

  test("say of a gain that is certain and small that it is small", () => {
    const gains = { combined: gain(0.004, 0.0001), tasks: { quiz: gain(0.012, 0.0001), news: gain(0.5, 0.0001) } };
    expect(sentences({ ...expert, gains }, winner)).toEqual([
      "The winner is significantly better than nature on the tasks combined, but by less than 1 % of its loss (quiz: better by less than 1 %, news: better by 66.7 %).",
    ]);
  });

  test("correct the combined tests for the number of models, and single tasks for that of all of them", () => {
    const models = [0.012, 0.012, 0.02, 0.03, 0.9].map((pValue, i) => ({
      ...expert,
      name: `m${i}`,
      gains: { combined: gain(0.3, pValue), tasks: { quiz: gain(0.3, 0.0001), news: gain(0.3, 0.02) } },
    }));
    const judged = sentences(...models.slice(1), winner).flatMap(
      (sentence) => /winner is (\w+)/.exec(sentence)?.[1] ?? [],
    );
    // 4 x 0.012 stands, 3 x 0.02 does not, and what is behind that does not either.
    expect(judged).toEqual(["significantly", "neither", "neither", "neither"]);
    expect(sentences(...models, winner).filter((sentence) => sentence.includes("significantly better than"))).toEqual(
      [],
    );
    expect(sentences(models[0]!, winner)[0]).toContain("(quiz: better by 24.0 %, news: better by 40.0 %)");
    expect(sentences(...models.slice(1), winner)[0]).toContain("(quiz: better by 24.0 %, news: neither)");
  });

  test("say of a model that differs on no row that it is the same", () => {
    const none: Gain = { gain: 0, interval: [0, 0], pValue: 1 };
    const same = { ...expert, gains: { combined: none, tasks: { quiz: none, news: none } } };
    expect(sentences(same, winner)).toEqual(["The winner has the same loss as nature on every row."]);
    expect(verdictTable([same], ["quiz", "news"], 1).rows[0]![4]).toBe("the same");
  });

  test("tell a difference of many times the other's loss in times", () => {
    const gains = { combined: gain(-206, 0.0001), tasks: { quiz: gain(-206, 0.0001), news: gain(-6, 0.0001) } };
    expect(sentences({ ...expert, gains }, winner)).toEqual([
      "The winner is significantly worse than nature on the tasks combined, by 183 times its loss (quiz: worse by 165 times, news: worse by 800 %).",
    ]);
    expect(verdictTable([{ ...expert, gains }], ["quiz"], 1).rows[0]![4]).toBe("worse by 183 times");
  });

  test("explain an interval without 0 beside neither", () => {
    const gains = { combined: gain(0.3, 0.06), tasks: { quiz: gain(0.3, 0.06) } };
    expect(sentences({ ...expert, gains }, winner)).toEqual([
      "The winner is neither significantly better nor worse than nature.",
      'P-values are corrected for the number of comparisons and intervals are not: one without 0 may stand beside "neither".',
    ]);
  });

  test("say nothing of single tasks where the combined test does not stand", () => {
    const gains = { combined: gain(0.001, 0.4), tasks: { quiz: gain(0.5, 0.0001), news: gain(-0.5, 0.0001) } };
    expect(sentences({ ...expert, gains }, winner)).toEqual([
      "The winner is neither significantly better nor worse than nature on the tasks combined.",
    ]);
  });

  test("call nothing significant from a p-value of 0.05, or from losses that are no numbers", () => {
    const even = gain(0.05, 0.05);
    const unknown = { gain: Number.NaN, interval: [Number.NaN, Number.NaN], pValue: 1 } as const;
    const said = [even, unknown].flatMap((combined) =>
      sentences({ ...expert, gains: { combined, tasks: { quiz: combined } } }, winner),
    );
    expect(said).toEqual(Array(2).fill("The winner is neither significantly better nor worse than nature."));
  });

  test("correct for every winner that the guard rows have judged", () => {
    const gains = { combined: gain(0.3, 0.02), tasks: { quiz: gain(0.3, 0.02) } };
    const models = [{ ...expert, gains }, winner];
    expect(verdictSentences({ models, groups }, 2)).toEqual([
      "The winner is significantly better than nature, by 26.7 % of its loss.",
      "The guard rows were looked at twice, for another winner or on more of them; p-values are corrected for that too.",
    ]);
    expect(verdictSentences({ models, groups }, 3)[0]).toContain("neither significantly better nor worse");
    expect(verdictTable(models, ["quiz"], 3).rows[0]![3]).toBe("0.0600");
  });

  test("warn of tasks with few groups of rows", () => {
    const said = verdictSentences({ models: [winner], groups: { quiz: 29.9, news: 30, other: 8 } }, 1);
    expect(said).toEqual([
      "The guard rows tell as much as few groups of equal size (29 of quiz, 8 of other): with fewer than 30, intervals and p-values are rough.",
    ]);
  });
});
