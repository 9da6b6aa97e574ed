import { describe, expect, test } from "vitest";
import type { JournalRecord, RecordPayloads, ScoredModel } from "../../src/journal/records.ts";
import type { Benchmark } from "../../src/report/benchmarks.ts";
import { runReport } from "../../src/report/run-report.ts";
import { pack } from "../../src/tensor/packed.ts";

const recipe = { method: "passthrough", model: "nature" } as const;
const nature: ScoredModel = { name: "nature", recipe, scores: { quiz: { loss: 1.25 } }, loss: 0.9 };
const finalists: JournalRecord = { type: "finalists", models: [], winner: nature, elapsedMs: 1 };
const gain = { gain: 0.25, interval: [0.1, 0.4], pValue: 0.001 } as const;
const intervals = { quiz: [1, 1.5] } as const;
const models: RecordPayloads["verdict"]["models"] = [
  { ...nature, name: "base", kind: "parent", intervals, gains: { combined: gain, tasks: { quiz: gain } } },
  { ...nature, kind: "winner", intervals },
];
const rowLosses = { offset: 0, count: 0, checksum: "" };
const groups = { quiz: 40 };
const time = { models: 2, tokens: 16, passes: 1, ms: 1, waitMs: 0 };
const rows = { quiz: 4 };
const verdict: JournalRecord = {
  type: "verdict",
  models,
  groups,
  weightsDigest: "00",
  rows,
  outOf: rows,
  rowLosses,
  time,
  elapsedMs: 1,
};

const scores = { school: { isPart: false, metrics: { acc: { value: 0.5, stderr: 0.01 } } } };
const benchmark: Benchmark = {
  task: "school",
  arguments: ["--tasks", "school", "--batch_size", "8"],
  lmEvalVersion: "0.4.13",
  recipe,
  models: [
    {
      name: "base",
      kind: "parent",
      source: "/models/base",
      seconds: 60,
      scores,
      gains: { school: { gain: 0.001, interval: [-0.01, 0.012], pValue: 0.8 } },
    },
    { name: "winner", kind: "winner", source: "/run/best", seconds: 61, scores },
  ],
};

describe("runReport", () => {
  test("has the verdict, the benchmarks and what they say", () => {
    expect(runReport("results/demo", [finalists, verdict], [benchmark])).toMatchInlineSnapshot(`
      "# demo, winner: nature

      ## Search

      - Nothing was searched: the budget had no room for a generation. nature is the best of the baselines, and whether another merge is better is not known.

      ## Guard rows

      Rows that the search never saw. Loss of quiz: nats per byte.
      Losses with 95 % interval, lower is better; combined is 1 for the uniform average on the search rows. Rows of one group count once, p-values are
      corrected for the number of models (Holm), and percentages are of the other model's loss.

      | model | combined | winner's gain | p (Holm) | winner is | quiz loss |
      | --- | ---: | ---: | ---: | ---: | ---: |
      | base | 0.900 | +0.250 [+0.100, +0.400] | 0.0010 | better by 27.8 % | 1.250 [1.000, 1.500] |
      | nature | 0.900 |  |  |  | 1.250 [1.000, 1.500] |

      - The winner is significantly better than base, by 27.8 % of its loss.

      ## Benchmarks

      ### school

      | model | acc | seconds | winner's gain in acc | p (Holm) | winner is |
      | --- | ---: | ---: | ---: | ---: | ---: |
      | base | 0.5000 ± 0.0100 | 60 | +0.0010 [-0.0100, +0.0120] | 0.8000 | neither |
      | winner | 0.5000 ± 0.0100 | 61 |  |  |  |

      - On school the winner shows no significant gain over base.

      lm_eval 0.4.13 with \`--tasks school --batch_size 8\`: value ± standard error; the winner's gain in acc is paired by document, with 95 % interval and a two-sided p-value that is corrected for all comparisons of the benchmark (Holm).

      ## Next

      \`\`\`
      evomerge export results/demo    # write the winner as a Hugging Face folder
      evomerge evaluate results/demo  # lm_eval on the winner and its parents
      \`\`\`
      "
    `);
  });

  test("tells how many numbers a winner with coefficients of columns has, and where they are", () => {
    const packed = pack(new Float32Array(3));
    const ofTensor = { nature: packed, craft: packed };
    const columns = { weight: { "lm_head.weight": ofTensor, "model.embed_tokens.weight": ofTensor } };
    const winner: ScoredModel = { ...nature, recipe: { method: "linear", parameters: {}, columns } };
    expect(runReport("run", [{ ...finalists, winner }], [])).toContain(
      "- Each input column of 2 tensors has a coefficient of its own for each expert, in the place of the tensor's: 12 numbers.",
    );
    expect(runReport("run", [finalists], [])).not.toContain("column");
  });

  test("says what a run that goes on still does not have", () => {
    const report = runReport("results/demo", [], []);
    expect(report).toContain("# demo, no winner yet");
    expect(report).toContain("The guard rows, which judge the winner, have not been scored.");
    expect(report).toContain("None evaluated yet.");
  });

  test("tells benchmarks of an earlier winner, and of parents alone, from those of the winner", () => {
    const earlier = { ...benchmark, recipe: { method: "passthrough", model: "base" } };
    expect(runReport("run", [finalists], [benchmark])).not.toContain("an earlier one");
    expect(runReport("run", [finalists], [earlier])).toContain("This winner is an earlier one than the run's");
    const parents = { ...benchmark, models: benchmark.models.slice(0, 1) };
    expect(runReport("run", [finalists], [parents])).toContain(
      "The winner has not been evaluated with these settings.",
    );
  });
});
