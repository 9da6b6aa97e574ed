import { expect, test } from "vitest";
import {
  baselineSentences,
  guardSentences,
  searchSentences,
  unitSentences,
} from "../../src/report/search-sentences.ts";

function model(name: string, quiz: number): Parameters<typeof baselineSentences>[0]["models"][number] {
  return { name, recipe: { method: "passthrough", model: name }, scores: {}, loss: 1, rows: { quiz, news: 9 } };
}

test("a search that found nothing better is told apart from none", () => {
  expect(searchSentences({ winner: "nature", isCompared: false, generations: 0, gaveUp: false })).toEqual([
    "Nothing was searched: the budget had no room for a generation. nature is the best of the baselines, and whether another merge is better is not known.",
  ]);
  expect(searchSentences({ winner: "nature", isCompared: false, generations: 3, gaveUp: false })).toEqual([
    "The budget ended before what 3 generations found was compared with nature, the best of the baselines, which is the winner; whether another merge is better is not known.",
  ]);
  expect(searchSentences({ winner: "nature", isCompared: true, generations: 1, gaveUp: false })).toEqual([
    "The search found nothing better than nature in one generation, which is the winner.",
  ]);
  expect(searchSentences({ winner: "nature", isCompared: true, generations: 12, gaveUp: false })).toEqual([
    "The search found nothing better than nature in 12 generations, which is the winner.",
  ]);
  expect(searchSentences({ winner: "evolved merge", isCompared: true, generations: 2, gaveUp: false })).toEqual([]);
});

test("a generation that was given up is spoken of, whoever won", () => {
  const last = "Generation 3 took longer than was expected and was given up, which left the finish its time.";
  expect(searchSentences({ winner: "evolved merge", isCompared: true, generations: 3, gaveUp: true })).toEqual([last]);
  expect(searchSentences({ winner: "nature", isCompared: true, generations: 3, gaveUp: true })).toEqual([
    last,
    "The search found nothing better than nature in 3 generations, which is the winner.",
  ]);
  // One of a hundred is nothing to speak of.
  expect(searchSentences({ winner: "evolved merge", isCompared: true, generations: 100, gaveUp: true })).toEqual([]);
  expect(searchSentences({ winner: "nature", isCompared: false, generations: 0, gaveUp: true })).toEqual([
    expect.stringMatching(
      /^Nothing was searched: the first generation took longer than was expected and was given up\. /,
    ),
  ]);
});

test("a verdict on a part of the guard rows says so", () => {
  expect(guardSentences({ rows: { quiz: 8, news: 6 }, outOf: { quiz: 8, news: 6 } })).toEqual([]);
  expect(guardSentences({ rows: { quiz: 8, news: 2 }, outOf: { quiz: 8, news: 6 } })).toEqual([
    "The budget had time for a part of the guard rows only: 2 of 6 of news.",
  ]);
});

test("baselines that were left out or behind are named", () => {
  expect(baselineSentences({ models: [model("base", 9), model("a", 9)], skipped: [] })).toEqual([]);
  expect(baselineSentences({ models: [model("base", 9), model("a", 4), model("b", 4)], skipped: ["c", "d"] })).toEqual([
    "The budget had no room for the baselines c, d.",
    "Among the best on 4 rows of quiz and 9 rows of news were not, and met no more search rows: a, b.",
  ]);
});

test("a unit that is of a few rows of a task says of how many", () => {
  expect(unitSentences({ models: [model("base", 2), model("uniform average", 8)] })).toEqual([]);
  expect(unitSentences({ models: [model("base", 2), model("uniform average", 4)] })).toEqual([
    "The unit of combined losses, the uniform average's mean loss, is of few search rows: 4 of quiz; another few would make another unit.",
  ]);
});
