import { expect, test } from "vitest";
import type { RecordedRung, TaskScore } from "../../../src/journal/records.ts";
import { ScoredRungs } from "../../../src/run/baselines/scored-rungs.ts";

const recipe = { method: "passthrough", model: "base" } as const;

/** The uniform average on so many rows from the last rung's end. */
function rung(from: number, to: number, score: TaskScore): RecordedRung {
  return {
    models: [{ name: "average", scores: { quiz: score } }],
    from: { quiz: from },
    to: { quiz: to },
    rowLosses: { offset: 0, count: 0, checksum: "00000000" },
    time: { models: 1, tokens: 1, passes: 1, ms: 1, waitMs: 0 },
    elapsedMs: 1,
  };
}

test("means over several rungs count each row once", () => {
  const rungs = new ScoredRungs([{ name: "average", kind: "average", recipe }], [{ name: "quiz", weight: 1 }]);
  rungs.add(rung(0, 2, { loss: 1, accuracy: 0.5, metrics: { brier: 0.25, margin: -2 } }));
  rungs.add(rung(2, 8, { loss: 3, accuracy: 1, metrics: { brier: 0.75, margin: 6 } }));
  const [average] = rungs.scored();
  expect(average?.scores).toEqual({ quiz: { loss: 2.5, accuracy: 0.875, metrics: { brier: 0.625, margin: 4 } } });
  rungs.add(rung(8, 16, { loss: 2.5 }));
  expect(rungs.scored()[0]?.scores["quiz"]).not.toHaveProperty("accuracy");
});
