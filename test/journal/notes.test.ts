import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { beside, bodyOf, goingOn, type Json, of, sound, writeJournal } from "./crafted-records.ts";

const faults: readonly (readonly [what: string, number: number, change: Json, says: string])[] = [
  ["of a budget of no time", 0, { budget: { seconds: 0 } }, "record.budget"],
  ["of a budget of endless time", 0, { budget: { seconds: { $number: "Infinity" } } }, "record.budget"],
  ["of a budget of two kinds", 0, { budget: { seconds: 1, evaluations: 1 } }, "record.budget"],
  ["of a budget of half an evaluation", 0, { budget: { evaluations: 0.5 } }, "record.budget"],
  [
    "of a budget and another number of candidates",
    1,
    { candidates: 3 },
    "candidates: expected that of the first plan, found another",
  ],
  ["of a budget and another start", 1, { start: beside }, "start: expected that of the first plan, found another"],
  [
    "of a budget and no points beside",
    1,
    { inject: undefined },
    "inject: expected that of the first plan, found another",
  ],
  ["of a budget and other genes", 1, { genes: ["b", "a"] }, "genes: expected that of the first plan, found another"],
  ["of a budget and a generation again", 2, { generation: 0 }, "generation: expected 1, found 0"],
  [
    "of a budget that is spent already",
    8,
    { ...of("plan"), budget: undefined },
    "expected it after baselines or another budget, found it after finalists",
  ],
  ["of a place without a folder", 10, { folder: undefined }, 'missing key "folder"'],
  ["of a place that is none", 10, { base: "" }, "record.base: expected at least 1 character"],
  ["of rows without a file", 10, { rows: { quiz: [] } }, "record.rows.quiz: expected at least 1 item"],
  ["of an expert's place that is none", 10, { experts: { a: 7 } }, "record.experts.a: expected text, found 7"],
];

test.each(faults)("a journal with valid checksums is refused for a note %s", async (...[, number, change, says]) => {
  const folder = await temporaryFolder();
  const records = [...sound, ...goingOn.with(number, { ...goingOn[number], ...change })];
  writeJournal(
    folder,
    records.map((record, i) => bodyOf(record, i)),
  );
  expect(() => readJournal(folder)).toThrow(says);
});
