import { describe, expect, test } from "vitest";
import type { Gain, GuardedModel } from "../../src/journal/records.ts";
import { amountText, judgeModels } from "../../src/report/judgement.ts";
import { type PairedLosses, pairedTest } from "../../src/statistics/paired-test.ts";
import { RandomStream } from "../../src/tensor/random.ts";

const tasks = ["quiz", "news"] as const;
const ROWS = 40;
const groups = Array.from({ length: ROWS }, (_, row) => `g${row}`);

/** Five models beside a winner that is as good as each of them, on rows that some models find harder than others. */
function equalModels(seed: number): GuardedModel[] {
  const stream = RandomStream.of(seed, "equal models");
  const draw = (): number[][] => tasks.map(() => Array.from({ length: ROWS }, () => stream.normal()));
  const difficulty = draw();
  const lossesOf = (): number[][] => draw().map((own, t) => own.map((loss, row) => 3 + loss + difficulty[t]![row]!));
  const winner = lossesOf();
  return Array.from({ length: 5 }, (_, i): GuardedModel => {
    const pairs = lossesOf().map((baseline, t): PairedLosses => ({
      weight: 1,
      baseline,
      candidate: winner[t]!,
      groups: groups.map((group) => `${t} ${group}`),
    }));
    return {
      name: `model ${i}`,
      kind: "parent",
      recipe: { method: "passthrough", model: "base" },
      scores: {},
      loss: 6,
      intervals: {},
      gains: {
        combined: gainOver(pairs, seed),
        tasks: { quiz: gainOver([pairs[0]!], seed), news: gainOver([pairs[1]!], seed) },
      },
    };
  });
}

function gainOver(pairs: readonly PairedLosses[], seed: number): Gain {
  const { gain, interval, pValue } = pairedTest(pairs, { seed, resamples: 199 });
  return { gain, interval, pValue };
}

describe("judgeModels", () => {
  test("names a difference among six equal models in at most one verdict of twenty", () => {
    const verdicts = Array.from({ length: 200 }, (_, seed) => {
      const judged = [...judgeModels(equalModels(seed), 1).values()].flatMap(({ combined, tasks }) => [
        combined,
        ...Object.values(tasks),
      ]);
      return {
        named: judged.some(({ judgement }) => judgement !== "neither"),
        singly: judged.some(({ pValue }) => pValue < 0.05),
      };
    });
    expect(verdicts.filter(({ named }) => named).length).toBeLessThanOrEqual(10);
    // What single tests would have named.
    expect(verdicts.filter(({ singly }) => singly).length).toBeGreaterThan(30);
  });
});

test.each([
  [0.99, "by less than 1 %"],
  [1, "by 1.0 %"],
  [12.34, "by 12.3 %"],
  [340.4, "by 340 %"],
  [Number.NaN, ""],
  [Infinity, ""],
])("a difference of %d %% is told as %j", (amount, text) => {
  expect(amountText(amount, "%")).toBe(text);
});
