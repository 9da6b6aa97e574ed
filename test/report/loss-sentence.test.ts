import { describe, expect, test } from "vitest";
import type { JournalRecord } from "../../src/journal/records.ts";
import { judgedTasks, lossSentence } from "../../src/report/loss-sentence.ts";

describe("lossSentence", () => {
  test("tells of each task what its loss is, of tasks with the same loss once", () => {
    const tasks = [
      { name: "a", loss: "softmax" },
      { name: "b", loss: "bounded" },
    ] as const;
    const scores = { a: { loss: 1, accuracy: 0.5 }, b: { loss: 1, accuracy: 0.5 }, c: { loss: 1 }, d: { loss: 1 } };
    expect(lossSentence(tasks, scores)).toBe(
      "Loss of a: -log p, where p is the probability of the right answer among the answers; of b: (1 - p^0.7) / 0.7, where p is the probability of the right answer among the answers; of c, d: nats per byte.",
    );
  });

  test("claims no formula for rows that a plugin's format scores", () => {
    const tasks = [{ name: "ranked", loss: "softmax", format: "podium/order" }] as const;
    expect(lossSentence(tasks, { ranked: { loss: 3, accuracy: 0.5 } })).toBe(
      "Loss of ranked: what the plugin's format podium/order makes of its rows.",
    );
  });
});

describe("judgedTasks", () => {
  test("knows the loss and the format of a recorded task, and the loss of before there was a choice", () => {
    const start: JournalRecord = {
      type: "start",
      format: 1,
      folder: "/runs/a",
      began: "2026-01-02T03:04:05.000Z",
      experiment: { tasks: [{ name: "ranked", format: "podium/order", loss: "bounded" }, { name: "quiz" }] },
      identity: {},
      versions: { evomerge: "0.1.0", node: "v20.19.0", engine: "made up" },
    };
    expect(judgedTasks([start])).toEqual([
      { name: "ranked", format: "podium/order", loss: "bounded" },
      { name: "quiz", loss: "softmax" },
    ]);
  });
});
