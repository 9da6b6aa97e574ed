import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { splitByGroup } from "../../src/tasks/split.ts";

function rows(groups: readonly string[]): TaskRow[] {
  return groups.map((group, i) => ({
    id: `${group}${i}`,
    kind: "text",
    context: "c",
    continuations: [" t"],
    label: 0,
    group,
  }));
}

const file = "rows.jsonl";
const groupsOf = (part: readonly TaskRow[]): Set<string> => new Set(part.map(({ group }) => group));
const manyGroups = rows(Array.from({ length: 500 }, (_, i) => `g${Math.floor(i / 1.25)}`));

describe("splitByGroup", () => {
  test("keeps every row once, in order, with no group on both sides and no side empty", () => {
    const names = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(
        names,
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.integer(),
        (groups, searchFraction, seed) => {
          fc.pre(new Set(groups).size > 1);
          const all = rows(groups);
          const { search, guard } = splitByGroup(all, { searchFraction, seed, file });
          expect(guard.filter(({ group }) => groupsOf(search).has(group))).toEqual([]);
          expect(all.filter((row) => search.includes(row))).toEqual(search);
          expect(all.filter((row) => !search.includes(row))).toEqual(guard);
          expect(search.length * guard.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  test("gives the search 70 % of the rows unless told otherwise", () => {
    expect(Math.abs(splitByGroup(manyGroups, { seed: 1, file }).search.length - 350)).toBeLessThanOrEqual(1);
    expect(
      Math.abs(splitByGroup(manyGroups, { seed: 1, searchFraction: 0.2, file }).search.length - 100),
    ).toBeLessThanOrEqual(1);
  });

  test("depends on the seed, not on the order of the rows", () => {
    const first = splitByGroup(manyGroups, { seed: 1, file });
    expect(groupsOf(splitByGroup(manyGroups.toReversed(), { seed: 1, file }).search)).toEqual(groupsOf(first.search));
    expect(groupsOf(splitByGroup(manyGroups, { seed: 2, file }).search)).not.toEqual(groupsOf(first.search));
  });

  test("refuses rows of a single passage", () => {
    expect(() => splitByGroup(rows(["a", "a"]), { seed: 1, file })).toThrow(
      "rows.jsonl: expected rows about at least two passages to split them, found 1; give guard rows",
    );
  });
});
