import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { type Split, splitTasks } from "../../src/tasks/split.ts";

/** Rows of the groups, each about the passage of that name. */
function rows(groups: readonly string[]): TaskRow[] {
  return groups.map((group, i) => row(group, group, i));
}

function row(group: string, passage: string, i = 0): TaskRow {
  const context = `${group} of ${passage}`;
  return { id: `${group}${i}`, kind: "text", context, continuations: [" t"], label: 0, passage, group };
}

const file = "rows.jsonl";
const groupsOf = (part: readonly TaskRow[]): Set<string> => new Set(part.map(({ group }) => group));
const manyGroups = rows(Array.from({ length: 500 }, (_, i) => `g${Math.floor(i / 1.25)}`));
const someGroups = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 2, maxLength: 40 });

function split(all: readonly TaskRow[], options: Parameters<typeof splitTasks>[1]): Split {
  return splitTasks([{ file, rows: all }], options)[0]!;
}

describe("splitTasks", () => {
  test("keeps every row once, in order, with no group on both sides and no side empty", () => {
    const fraction = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(someGroups, fraction, fc.integer(), (groups, searchFraction, seed) => {
        fc.pre(new Set(groups).size > 1);
        const all = rows(groups);
        const { search, guard } = split(all, { searchFraction, seed });
        expect(guard.filter(({ group }) => groupsOf(search).has(group))).toEqual([]);
        expect(all.filter(({ group }) => groupsOf(search).has(group))).toEqual(search);
        expect(all.filter(({ group }) => !groupsOf(search).has(group))).toEqual(guard);
        expect(search.length * guard.length).toBeGreaterThan(0);
      }),
    );
  });

  test("gives the search 70 % of the rows unless told otherwise", () => {
    expect(Math.abs(split(manyGroups, { seed: 1 }).search.length - 350)).toBeLessThanOrEqual(1);
    expect(Math.abs(split(manyGroups, { seed: 1, searchFraction: 0.2 }).search.length - 100)).toBeLessThanOrEqual(1);
  });

  test("depends on the seed, not on the order of the rows", () => {
    const first = split(manyGroups, { seed: 1 });
    expect(groupsOf(split(manyGroups.toReversed(), { seed: 1 }).search)).toEqual(groupsOf(first.search));
    expect(groupsOf(split(manyGroups, { seed: 2 }).search)).not.toEqual(groupsOf(first.search));
  });

  test("goes by the named group alone, whatever the passages", () => {
    const named = Array.from({ length: 40 }, (_, i) => row(`fact ${i}`, "one instruction", i));
    const { search, guard } = split(named, { seed: 1 });
    expect([search.length, guard.length]).toEqual([28, 12]);
    const given = { file, rows: named.slice(0, 20), guard: { file: "guard.jsonl", rows: named.slice(20) } };
    expect(splitTasks([given], { seed: 1 })).toEqual([{ search: named.slice(0, 20), guard: named.slice(20) }]);
  });

  test("puts rows that say the same on one side, whatever groups they name, also through rows between them", () => {
    const chain = [row("a", "p", 1), row("b", "p", 1), row("b", "p", 2), row("c", "p", 2)].map((own, i) => ({
      ...own,
      id: i < 2 ? "one" : "two",
    }));
    for (let seed = 0; seed < 20; seed++) {
      const { search, guard } = split([...chain, row("d", "r")], { seed });
      expect([1, 4]).toContain(search.length);
      expect(search.length + guard.length).toBe(5);
      expect(groupsOf(search.length === 4 ? search : guard).size).toBe(1);
    }
  });

  test("refuses rows of a single passage", () => {
    expect(() => split(rows(["a", "a"]), { seed: 1 })).toThrow(
      "rows.jsonl: expected rows about at least two passages or groups to split them, found 1; give guard rows, or say in a column group what they are about",
    );
  });
});

describe("rows of several tasks", () => {
  const other = { file: "other.jsonl" };

  test("of one group are on one side, each task with its share where the groups allow it", () => {
    fc.assert(
      fc.property(someGroups, someGroups, fc.integer(), (first, second, seed) => {
        fc.pre(new Set(first).size > 1 && new Set(second).size > 1);
        const divided = splitTasks(
          [
            { file, rows: rows(first) },
            { ...other, rows: rows(second) },
          ],
          { seed },
        );
        const searched = groupsOf(divided.flatMap(({ search }) => search));
        for (const { search, guard } of divided) {
          expect(guard.filter(({ group }) => searched.has(group))).toEqual([]);
          expect(search.length * guard.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  test("follow the sides that somebody has given them in another task", () => {
    const given = { ...other, rows: rows(["a", "b"]), guard: { file: "guard.jsonl", rows: rows(["c"]) } };
    for (let seed = 0; seed < 20; seed++) {
      const [free] = splitTasks([{ file, rows: rows(["a", "c", "d", "e"]) }, given], { seed });
      expect(groupsOf(free!.search)).toContain("a");
      expect(groupsOf(free!.guard)).toContain("c");
    }
  });

  test("are refused where guard rows that somebody gave belong with search rows, of any task", () => {
    const [first, second] = [
      { file, rows: rows(["a", "b"]), guard: { file: "guard.jsonl", rows: rows(["c", "d", "e", "e"]) } },
      { ...other, rows: [row("e", "x", 7)], guard: { file: "other-guard.jsonl", rows: rows(["f"]) } },
    ];
    expect(() => splitTasks([first, second], { seed: 1 })).toThrow(
      'guard.jsonl: expected rows that are new to the search, found 2 of 4 about passages or groups of search rows, such as row "e of e", with row "e of x" of other.jsonl; remove them, or leave the guard out to have it split off; where they are about different things, say so in a column group',
    );
    expect(() => splitTasks([{ ...first, guard: { file: "g.jsonl", rows: rows(["a"]) } }], { seed: 1 })).toThrow(
      'g.jsonl: expected rows that are new to the search, found 1 of 1 about passages or groups of search rows, such as row "a of a", which is also in rows.jsonl; remove them, or leave the guard out to have it split off',
    );
  });

  test("are refused where other tasks leave one of them no guard rows", () => {
    const given = { ...other, rows: rows(["a", "b"]), guard: { file: "guard.jsonl", rows: rows(["c"]) } };
    expect(() => splitTasks([{ file, rows: rows(["a", "b"]) }, given], { seed: 1 })).toThrow(
      "rows.jsonl: all its passages and groups are among the search rows of other tasks, so that no guard rows are left; give guard rows",
    );
  });
});
