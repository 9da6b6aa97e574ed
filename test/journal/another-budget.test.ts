import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodyOf, goingOn, type Json, of, sound, writeJournal } from "./crafted-records.ts";

const faultsOfBudgets: readonly (readonly [what: string, number: number, change: Json, says: string])[] = [
  ["of no time", 0, { budget: { seconds: 0 } }, "record.budget"],
  ["of endless time", 0, { budget: { seconds: { $number: "Infinity" } } }, "record.budget"],
  ["of two kinds", 0, { budget: { seconds: 1, evaluations: 1 } }, "record.budget"],
  ["of half an evaluation", 0, { budget: { evaluations: 0.5 } }, "record.budget"],
  ["and another population", 1, { population: 3 }, "population: expected that of the first plan, found another"],
  ["and another start", 1, { start: [0, 0.5] }, "start: expected that of the first plan, found another"],
  ["and other genes", 1, { genes: ["b", "a"] }, "genes: expected that of the first plan, found another"],
  ["and a generation again", 2, { generation: 0 }, "generation: expected 1, found 0"],
  [
    "that is spent already",
    8,
    { ...of("plan"), budget: undefined },
    "expected it after baselines or another budget, found it after finalists",
  ],
];

test.each(faultsOfBudgets)(
  "a journal with valid checksums is refused for another budget %s",
  async (...[, number, change, says]) => {
    const folder = await temporaryFolder();
    const records = [...sound, ...goingOn.with(number, { ...goingOn[number], ...change })];
    writeJournal(
      folder,
      records.map((record, i) => bodyOf(record, i)),
    );
    expect(() => readJournal(folder)).toThrow(says);
  },
);
