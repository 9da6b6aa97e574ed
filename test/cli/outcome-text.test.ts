import { expect, test } from "vitest";
import { outcomeText } from "../../src/cli/outcome-text.ts";
import type { Outcome } from "../../src/run/carry-on.ts";

const scores = { news: { loss: 1, rows: 4 } };
const recipe = { method: "passthrough", model: "base" } as const;
const winner = { name: "base", recipe, scores, loss: 1 };
const front = { members: [{ of: "base", scores, loss: 1 }] };
const texts = {
  task: "news",
  rows: 8,
  models: [{ name: "base", scores: { news: { rouge1: 1, rouge2: 1, rougeL: 1 } } }],
};
const verdict = { rows: {}, outOf: {}, groups: {}, models: [{ ...winner, kind: "winner", intervals: {}, tests: {} }] };
const outcome = { experiment: { tasks: [{ name: "news" }] }, winner, isCompared: true, looks: 1, generations: 1 };

test.each([
  ["a verdict", { verdict }],
  ["a verdict and a front", { verdict, front }],
  ["a verdict and texts", { verdict, texts }],
  ["a verdict, a front and texts", { verdict, front, texts }],
  ["a front without a verdict", { front }],
])("parts of %s have one empty line between them, and none behind", (_, parts) => {
  const text = outcomeText({ ...outcome, ...parts } as unknown as Outcome, 80);
  expect(text).toContain("front" in parts ? "The front: " : "winner");
  expect(text).not.toMatch(/\n\n\n|\n$/);
  if ("verdict" in parts && ("front" in parts || "texts" in parts)) expect(text).toMatch(/\n\nThe winner's combined/);
});
