import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { stratifiedSubset } from "../../src/tasks/subset.ts";
import { RandomStream } from "../../src/tensor/random.ts";

const choices = (labels: readonly number[]): TaskRow[] =>
  labels.map((label, i) => ({
    id: `${i}`,
    kind: "choice",
    context: "c",
    continuations: [" a", " b", " c"],
    label,
    passage: `${i}`,
    group: `${i}`,
  }));
const texts = (lengths: readonly number[]): TaskRow[] =>
  lengths.map((length, i) => ({
    id: `${i}`,
    kind: "text",
    context: "x".repeat(length),
    continuations: [" t"],
    label: 0,
    passage: `${i}`,
    group: `${i}`,
  }));

function cost(rows: readonly TaskRow[]): number {
  return rows.reduce((sum, { context }) => sum + context.length, 0);
}

function countsBy(rows: readonly TaskRow[], key: (row: TaskRow) => number): number[] {
  const counts = [0, 0, 0];
  for (const row of rows) counts[key(row)]! += 1;
  return counts;
}

describe("stratifiedSubset", () => {
  test("takes the wanted number of different rows in the order of the file, each label in proportion", () => {
    const labels = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(labels, fc.double({ min: 0.01, max: 1, noNaN: true }), fc.integer(), (own, fraction, seed) => {
        const rows = choices(own);
        const subset = stratifiedSubset(rows, fraction, RandomStream.of(seed));
        expect(subset).toHaveLength(Math.max(1, Math.round(fraction * rows.length)));
        expect(rows.filter((row) => subset.includes(row))).toEqual(subset);
        const all = countsBy(rows, ({ label }) => label);
        countsBy(subset, ({ label }) => label).forEach((count, label) => {
          expect(Math.abs(count - (all[label]! * subset.length) / rows.length)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test("takes short, middling and long texts alike", () => {
    const rows = texts(Array.from({ length: 90 }, (_, i) => 1 + ((i * 37) % 90)));
    for (let seed = 0; seed < 20; seed++) {
      const subset = stratifiedSubset(rows, 0.1, RandomStream.of(seed));
      expect(countsBy(subset, ({ context }) => Math.floor((context.length - 1) / 30))).toEqual([3, 3, 3]);
    }
  });

  test.each(["text", "choice"] as const)(
    "costs nearly the same at each draw, though a tenth of %s rows is long",
    (kind) => {
      // As articles are: lengths of a log-normal distribution, the longest tenth a third of all.
      const lengths = Array.from({ length: 200 }, (_, i) =>
        Math.round(400 * Math.exp(0.9 * RandomStream.of(i).normal())),
      );
      const rows = texts(lengths).map((row, i): TaskRow => ({ ...row, kind, label: kind === "choice" ? i % 3 : 0 }));
      const longest = rows.toSorted((a, b) => b.context.length - a.context.length).slice(0, 20);
      expect(cost(longest) / cost(rows)).toBeGreaterThan(0.3);
      const costs = Array.from({ length: 100 }, (_, seed) => cost(stratifiedSubset(rows, 0.25, RandomStream.of(seed))));
      const expected = 0.25 * cost(rows);
      const scatter = Math.sqrt(costs.reduce((sum, own) => sum + (own / expected - 1) ** 2, 0) / costs.length);
      // By thirds of the length it would be 0.13, and 0.16.
      expect(scatter).toBeLessThan(kind === "text" ? 0.05 : 0.1);
    },
  );

  test("takes each row equally often in the long run, in rare strata too", () => {
    const rows = choices([0, 0, 0, 0, 0, 0, 0, 1, 1, 2]).map((row, i) => ({
      ...row,
      context: "c".repeat(1 + ((i * 3) % 7)),
    }));
    const taken = new Map<string, number>();
    const stream = RandomStream.of(5);
    for (let i = 0; i < 5000; i++) {
      for (const { id } of stratifiedSubset(rows, 0.3, stream)) taken.set(id, (taken.get(id) ?? 0) + 1);
    }
    // Binomial(5000, 0.3): 1500 with a standard deviation of 32.
    for (const { id } of rows) expect(Math.abs((taken.get(id) ?? 0) - 1500)).toBeLessThan(4 * 32);
  });

  test("is fresh at each draw from a stream and the same for the same stream", () => {
    const rows = choices(Array.from({ length: 50 }, (_, i) => i % 3));
    const stream = RandomStream.of(7, "generation", 1);
    const first = stratifiedSubset(rows, 0.2, stream);
    expect(stratifiedSubset(rows, 0.2, RandomStream.of(7, "generation", 1))).toEqual(first);
    expect(stratifiedSubset(rows, 0.2, stream)).not.toEqual(first);
    expect(stratifiedSubset(rows, 1, stream)).toEqual(rows);
  });
});
