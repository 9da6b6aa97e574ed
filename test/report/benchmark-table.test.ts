import { describe, expect, test } from "vitest";
import { benchmarkRows, benchmarkSentences, benchmarkTable, wholeTasks } from "../../src/report/benchmark-table.ts";
import type { Benchmark, BenchmarkedModel } from "../../src/report/benchmarks.ts";
import { alignedText } from "../../src/report/text/text-table.ts";

function model(name: string, acc: number, gain?: readonly [gain: number, pValue: number]): BenchmarkedModel {
  return {
    name,
    kind: name === "winner" ? "winner" : "parent",
    source: `/models/${name}`,
    seconds: 12.3,
    scores: {
      school: { isPart: false, documents: 40, metrics: { acc: { value: acc, stderr: 0.0123 } } },
      school_art: { isPart: true, documents: 10, metrics: { acc: { value: 0.5 }, acc_norm: { value: 0.25 } } },
    },
    ...(gain && { gains: { school: { gain: gain[0], interval: [gain[0] - 0.1, gain[0] + 0.1], pValue: gain[1] } } }),
  };
}

function benchmark(...models: readonly BenchmarkedModel[]): Benchmark {
  return { task: "school", arguments: ["--tasks", "school"], lmEvalVersion: "0.4.13", models: [...models] };
}

const winner = model("winner", 0.625);
const mixed = benchmark(
  model("base", 0.25, [0.375, 0.0001]),
  model("nature", 0.6, [0.025, 0.4]),
  model("craft", 0.61, [0.015, 0.05]),
  model("news", 0.8, [-0.175, 0.01]),
  winner,
);

describe("benchmarkTable", () => {
  test("has a line a model with each metric, the time, and the winner's gain", () => {
    expect(wholeTasks(mixed)).toEqual(["school"]);
    expect(alignedText(benchmarkTable(mixed, "school"))).toMatchInlineSnapshot(`
      "model               acc  seconds        winner's gain in acc  p (Holm)              winner is
      ------  ---------------  -------  --------------------------  --------  ---------------------
      base    0.2500 ± 0.0123       12  +0.3750 [+0.2750, +0.4750]    0.0004  better by 37.5 points
      nature  0.6000 ± 0.0123       12  +0.0250 [-0.0750, +0.1250]    0.4000                neither
      craft   0.6100 ± 0.0123       12  +0.0150 [-0.0850, +0.1150]    0.1000                neither
      news    0.8000 ± 0.0123       12  -0.1750 [-0.2750, -0.0750]    0.0300   worse by 17.5 points
      winner  0.6250 ± 0.0123       12"
    `);
  });

  test("has no gains where no winner was evaluated, and gaps where a model lacks a metric", () => {
    const { header, rows } = benchmarkTable(benchmark(model("base", 0.25), { ...winner, scores: {} }), "school_art");
    expect(header).toEqual(["model", "acc", "acc_norm", "seconds"]);
    expect(rows).toEqual([
      ["base", "0.5000", "0.2500", "12"],
      ["winner", "", "", "12"],
    ]);
  });
});

describe("benchmarkSentences", () => {
  test("name the models that the winner beats, those it does not, and those that beat it", () => {
    expect(benchmarkSentences(mixed, "school")).toEqual([
      "On school the winner is significantly better than base (by 37.5 points).",
      "On school the winner shows no significant gain over nature and craft.",
      "On school the winner is significantly worse than news (by 17.5 points).",
    ]);
  });

  test("explain an interval without 0 that is not significant", () => {
    expect(benchmarkSentences(benchmark(model("base", 0.5, [0.125, 0.06]), winner), "school")).toEqual([
      "On school the winner shows no significant gain over base.",
      'P-values are corrected for the number of comparisons and intervals are not: one without 0 may stand beside "neither".',
    ]);
  });

  test("say nothing where nothing was compared", () => {
    expect(benchmarkSentences(benchmark(model("base", 0.25), winner), "school")).toEqual([]);
  });
});

describe("benchmarkRows", () => {
  test("keep the parts of groups", () => {
    const rows = benchmarkRows([benchmark(model("base", 0.25, [0.375, 0.0001]))]);
    expect(
      rows.map(({ task, metric, value, stderr, winner_gain }) => [task, metric, value, stderr, winner_gain]),
    ).toEqual([
      ["school", "acc", 0.25, 0.0123, 0.375],
      ["school_art", "acc", 0.5, "", ""],
      ["school_art", "acc_norm", 0.25, "", ""],
    ]);
  });
});
