import { expect, test } from "vitest";
import type { PlannedWeight } from "../../src/merge-files/plan.ts";
import { weightParts, type WeightPart } from "../../src/merge-files/weight-parts.ts";
import type { Step } from "../../src/merge/recipe.ts";

const linear: Step = { method: "linear", values: { weight: [1] } };
const slerp: Step = { method: "slerp", values: { t: [0.5] } };
const byRow: Step = { method: "nuslerp", values: { weight: [1] }, options: { nuslerp_flatten: false } };
const stored = { name: "w", dtype: "bf16", shape: [5, 5], bytes: 50, start: 1000 } as const;

function asking(step: Step, held: number): { readonly parts: readonly WeightPart[]; readonly asked: () => number } {
  const weight: PlannedWeight = { spec: stored, experts: [{ model: "a", tensor: "w" }], step };
  let asked = 0;
  const learn = async (): Promise<object> => ({ cuts: [[(asked += 1)]] });
  const parts = weightParts(weight, stored, { path: "file", descriptor: 3 }, { held, most: 10, learn });
  return { parts, asked: () => asked };
}

test("divides a weight into parts that lie one behind the other in its file", () => {
  const { parts } = asking(linear, 0);
  expect(parts.map(({ part }) => part)).toEqual([
    { first: 0, count: 10 },
    { first: 10, count: 10 },
    { first: 20, count: 5 },
  ]);
  expect(parts.map(({ start, bytes }) => [start, bytes])).toEqual([
    [1000, 20],
    [1020, 20],
    [1040, 10],
  ]);
  expect(parts.map(({ target }) => target.start)).toEqual([1000, 1000, 1000]);
});

test("learns what is asked of a weight once for all parts, and nothing where nothing is asked or one part is all", async () => {
  const cases = [
    [slerp, 0, 1],
    [linear, 0, 0],
    [slerp, 1, 0],
    [byRow, 0, 0],
  ] as const;
  for (const [step, held, times] of cases) {
    const { parts, asked } = asking(step, held);
    const facts = await Promise.all(parts.map(({ factsOf }) => factsOf([])));
    expect(asked()).toBe(times);
    expect(new Set(facts)).toEqual(new Set([times === 1 ? { cuts: [[1]] } : undefined]));
    expect(parts).toHaveLength(held > 0 || step === byRow ? 1 : 3);
  }
});
