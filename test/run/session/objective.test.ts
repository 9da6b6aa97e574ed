import { describe, expect, test } from "vitest";
import { combinedLoss, factorOf } from "../../../src/run/session/objective.ts";

const tasks = [
  { name: "quiz", weight: 3, scale: 2 },
  { name: "news", weight: 1, scale: 0.5 },
];

function evaluation(quiz: readonly number[], news: readonly number[]): Parameters<typeof combinedLoss>[0] {
  return { scores: { quiz: quiz.map((loss) => ({ loss })), news: news.map((loss) => ({ loss })) } };
}

describe("combinedLoss", () => {
  test("averages mean losses in units of their scales, by weight", () => {
    expect(combinedLoss(evaluation([2, 2], [0.5]), tasks)).toBe(1);
    expect(combinedLoss(evaluation([1, 5], [1]), tasks)).toBe((3 * (3 / 2) + 1 * (1 / 0.5)) / 4);
  });

  test("is the sum of mean losses times their factors", () => {
    const [quiz, news] = tasks.map((task) => factorOf(task, tasks));
    expect(combinedLoss(evaluation([1, 5], [1]), tasks)).toBeCloseTo(3 * quiz! + 1 * news!, 15);
  });

  test("is no number when a row's loss is none", () => {
    expect(combinedLoss(evaluation([1, Number.NaN], [1]), tasks)).toBeNaN();
  });
});
