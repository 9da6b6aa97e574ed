import { describe, expect, test } from "vitest";
import { EVOLVED, type Gain, type GuardedModel } from "../../src/journal/records.ts";
import { alignedText, markdownTable } from "../../src/report/table.ts";
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
const { gains: _, ...scored } = expert;
const winner: GuardedModel = { ...scored, name: EVOLVED, kind: "winner", loss: 0.8234 };

describe("verdictTable", () => {
  const table = verdictTable([expert, average, winner], ["quiz", "news"]);

  test("has a line a model, aligned for a terminal", () => {
    expect(alignedText(table)).toMatchInlineSnapshot(`
      "model                       quiz loss  quiz accuracy             news loss  combined            winner's gain       p  winner is
      ---------------  --------------------  -------------  --------------------  --------  -----------------------  ------  ---------
      nature           1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]     1.123  +0.300 [+0.200, +0.400]  0.0001     better
      uniform average  1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]     1.000  +0.040 [-0.060, +0.140]  0.3500    neither
      evolved merge    1.250 [1.000, 1.500]          0.500  0.750 [0.700, 0.800]     0.823"
    `);
  });

  test("and for Markdown", () => {
    expect(markdownTable(table)).toMatchInlineSnapshot(`
      "| model | quiz loss | quiz accuracy | news loss | combined | winner's gain | p | winner is |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | nature | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] | 1.123 | +0.300 [+0.200, +0.400] | 0.0001 | better |
      | uniform average | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] | 1.000 | +0.040 [-0.060, +0.140] | 0.3500 | neither |
      | evolved merge | 1.250 [1.000, 1.500] | 0.500 | 0.750 [0.700, 0.800] | 0.823 |  |  |  |"
    `);
  });
});

describe("verdictSentences", () => {
  test("say how the winner compares with each model, on all tasks and on each", () => {
    expect(verdictSentences([expert, average, winner])).toMatchInlineSnapshot(`
      [
        "The winner is significantly better than nature on the tasks combined (quiz: better, news: neither).",
        "The winner is neither significantly better nor worse than uniform average on the tasks combined (quiz: neither, news: worse).",
      ]
    `);
  });

  test("name no tasks where there is only one", () => {
    const gains = { combined: gain(-0.3, 0.049), tasks: { quiz: gain(-0.3, 0.049) } };
    expect(verdictSentences([{ ...expert, gains }, winner])).toEqual([
      "The winner is significantly worse than nature.",
    ]);
  });

  test("say first that the search found nothing where a baseline wins", () => {
    const [first] = verdictSentences([average, { ...winner, name: "nature" }]);
    expect(first).toBe("The search found nothing better than nature, which is the winner.");
  });

  test("call nothing significant from a p-value of 0.05, or from losses that are no numbers", () => {
    const unknown = { gain: Number.NaN, interval: [Number.NaN, Number.NaN], pValue: 1 } as const;
    const sentences = [gain(0.3, 0.05), unknown].flatMap((combined) =>
      verdictSentences([{ ...expert, gains: { combined, tasks: { quiz: combined } } }, winner]),
    );
    expect(sentences).toEqual(Array(2).fill("The winner is neither significantly better nor worse than nature."));
  });
});
