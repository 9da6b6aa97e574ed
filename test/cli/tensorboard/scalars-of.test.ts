import { expect, test } from "vitest";
import { scalarsOf } from "../../../src/cli/tensorboard/scalars-of.ts";
import type { RunEvent } from "../../../src/run/session/events.ts";

const finalists = (name: string, task: string): RunEvent => ({
  type: "finalists",
  models: [{ name, scores: { [task]: { loss: 0.5, accuracy: 1 } }, loss: 1 }],
  winner: name,
});
const tagOf = (name: string, task = "quiz"): string => Object.keys(scalarsOf(finalists(name, task))).join();

test("a generation has the losses of the search, and what it has cost", () => {
  const event = {
    type: "generation",
    generation: 3,
    best: Infinity,
    overall: 0.25,
    baseline: 0.5,
    work: 12,
    spent: 0.75,
    elapsedMs: 10,
    left: { ms: 5 },
    replayed: false,
  } as const;
  const scalars = {
    "loss/search": 0.25,
    "loss/baseline": 0.5,
    "loss/best candidate": Infinity,
    "search/work": 12,
    "search/spent": 0.75,
  };
  expect(scalarsOf(event)).toEqual(scalars);
  expect(scalarsOf({ ...event, mean: Number.NaN })).toEqual({ ...scalars, "loss/mean": Number.NaN });
});

test("names of models and tasks are parts of tags as they are", () => {
  expect(scalarsOf(finalists("global weight 0.8", "日本語"))).toEqual({ "finalists/global weight 0.8/日本語": 0.5 });
});

test.each([
  ["a slash", "a/b", /^finalists\/a_b~[\da-f]{8}\/quiz$/],
  ["marks", "<script>\u202E\u001B[2J\n\uD800", /^finalists\/_script____2J__~[\da-f]{8}\/quiz$/],
  ["10,000 characters", "n".repeat(10_000), /^finalists\/n{48}~[\da-f]{8}\/quiz$/],
])("a tag has of a name with %s nothing that a page obeys, and not too much", (_, name, tag) => {
  expect(tagOf(name)).toMatch(tag);
});

test("names that differ have tags that differ", () => {
  const names = ["a/b", "a_b", "a:b", "n".repeat(49), "n".repeat(50), "n".repeat(48), "__proto__", ""];
  expect(new Set(names.map((name) => tagOf(name))).size).toBe(names.length);
  expect(new Set(names.map((name) => tagOf("model", name))).size).toBe(names.length);
});

test("what is no number of a curve is left out", () => {
  expect(scalarsOf({ type: "notice", text: "loss 1" })).toEqual({});
});
