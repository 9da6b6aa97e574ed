import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { crowdingOf, dominates, frontsOf } from "../../src/search/pareto.ts";

interface Reference {
  readonly cases: readonly {
    readonly losses: number[][];
    readonly fronts: number[][];
    /** Of each front; null where it is infinite. */
    readonly crowding: (number | null)[][];
  }[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/search/pymoo-fronts.json", import.meta.url), "utf8"),
) as Reference;

describe("several objectives", () => {
  test("are sorted into the fronts that pymoo finds, in two, three and five of them", () => {
    expect(cases.map(({ losses }) => losses[0]!.length)).toEqual([2, 2, 3, 3, 5, 5]);
    for (const { losses, fronts } of cases) expect(frontsOf(losses)).toEqual(fronts);
  });

  test("have the crowding distances of pymoo, where no two neighbours are equal in an objective", () => {
    // Which of equal neighbours is at an end is a matter of the order of sorting.
    for (const { losses, fronts, crowding } of cases.filter(({ losses: own }) => !hasTies(own))) {
      for (const [rank, front] of fronts.entries()) {
        const found = crowdingOf(front.map((i) => losses[i]!));
        for (const [k, expected] of crowding[rank]!.entries()) expect(found[k]).toBeCloseTo(expected ?? Infinity, 12);
      }
    }
    expect(cases.filter(({ losses }) => !hasTies(losses)).length).toBeGreaterThan(0);
  });

  test("of equal candidates one has room around it, the others none", () => {
    const all = [
      [0, 2],
      [1, 1],
      [1, 1],
      [2, 0],
    ];
    expect(frontsOf(all)).toEqual([[0, 1, 2, 3]]);
    expect(crowdingOf(all)).toEqual([Infinity, 2, 0, Infinity]);
  });

  test("have no room where all candidates are one, and none where there is no candidate", () => {
    expect(crowdingOf([[1, 1]])).toEqual([Infinity]);
    expect(crowdingOf([])).toEqual([]);
    expect(frontsOf([])).toEqual([]);
  });

  test("candidates that failed in any of them are the last front, whatever the others are", () => {
    const all = [
      [NaN, 0],
      [5, 5],
      [0, Infinity],
      [6, 6],
    ];
    expect(frontsOf(all)).toEqual([[1], [3], [0, 2]]);
    expect(dominates([NaN, 0], [0, NaN])).toBe(false);
  });

  test("a candidate does not dominate one that it is equal to", () => {
    expect(dominates([1, 2], [1, 2])).toBe(false);
    expect(dominates([1, 2], [1, 3])).toBe(true);
    expect(dominates([1, 2], [0, 3])).toBe(false);
  });
});

function hasTies(losses: readonly number[][]): boolean {
  return losses[0]!.some((_, objective) => new Set(losses.map((own) => own[objective])).size < losses.length);
}
