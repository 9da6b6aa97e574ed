import { describe, expect, test } from "vitest";
import { benchmarksOf } from "../../src/lm-eval/benchmarks-of.ts";
import type { StoredEvaluation } from "../../src/lm-eval/stored-evaluation.ts";
import type { Benchmark } from "../../src/report/benchmarks.ts";

/** An evaluation of a group of two tasks, whose value is the one that is given. */
function evaluation(model: string, acc: Readonly<Record<string, readonly number[]>>, value: number): StoredEvaluation {
  const entries = Object.entries(acc);
  return {
    model,
    kind: model === "winner" ? "winner" : "parent",
    source: `/models/${model}`,
    task: "school",
    arguments: ["--tasks", "school"],
    command: [],
    lmEvalVersion: "0.4.13",
    date: "2026-01-01T00:00:00.000Z",
    weights: model,
    seconds: 1,
    rows: Object.fromEntries(entries.map(([task, acc]) => [task, { documents: task, acc }])),
    results: {
      results: {
        ...Object.fromEntries(entries.map(([task, acc]) => [task, { "acc,none": mean(acc) }])),
        school: { "acc,none": value, "acc_stderr,none": "N/A", "exact_match,strict": 0.5, sample_len: 3 },
      },
      group_subtasks: { school: Object.keys(acc) },
      "n-samples": {},
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const names = ["base", "nature", "winner"];

async function benchmark(...evaluations: readonly StoredEvaluation[]): Promise<Benchmark> {
  const [found] = await benchmarksOf(evaluations, names);
  return found!;
}

const base = { maths: [0, 0, 1, 0], art: [0] };
const best = { maths: [1, 0, 1, 0], art: [1] };

describe("benchmarksOf", () => {
  test("finds the gain on a group that is a mean over documents, or over tasks", async () => {
    const overDocuments = await benchmark(evaluation("base", base, 1 / 5), evaluation("winner", best, 3 / 5));
    expect(overDocuments.models[0]!.gains!["school"]!.gain).toBeCloseTo(2 / 5, 12);
    const overTasks = await benchmark(evaluation("base", base, 1 / 8), evaluation("winner", best, 3 / 4));
    expect(overTasks.models[0]!.gains!["school"]!.gain).toBeCloseTo(5 / 8, 12);
  });

  test("finds none where documents differ, or where the group is neither mean", async () => {
    const winner = evaluation("winner", best, 3 / 5);
    const parent = evaluation("base", base, 1 / 5);
    const others = { ...parent, rows: { ...parent.rows, art: { documents: "others", acc: [0] } } };
    expect((await benchmark(others, winner)).models[0]!.gains).toEqual({});
    expect((await benchmark(evaluation("base", base, 0.3), winner)).models[0]!.gains).toEqual({});
  });

  test("reads values with and without a standard error or a filter, and the documents of a group", async () => {
    const { models } = await benchmark(evaluation("base", base, 1 / 5));
    expect(models[0]!.scores["school"]).toEqual({
      documents: 5,
      isPart: false,
      metrics: { acc: { value: 0.2 }, "exact_match,strict": { value: 0.5 } },
    });
  });

  test("keeps what was asked otherwise apart, takes a model's latest evaluation, and leaves out strangers", async () => {
    const old = { ...evaluation("nature", base, 1 / 5), lmEvalVersion: "0.4.9" };
    const benchmarks = await benchmarksOf(
      [
        evaluation("winner", base, 1 / 5),
        old,
        evaluation("stranger", base, 1 / 5),
        evaluation("winner", best, 3 / 5),
        evaluation("base", base, 1 / 5),
      ],
      names,
    );
    const values = benchmarks.map(({ lmEvalVersion, models }) => [
      lmEvalVersion,
      models.map(({ name, scores }) => `${name} ${scores["school"]?.metrics["acc"]?.value}`),
    ]);
    expect(values).toEqual([
      ["0.4.13", ["base 0.2", "winner 0.6"]],
      ["0.4.9", ["nature 0.2"]],
    ]);
  });
});
