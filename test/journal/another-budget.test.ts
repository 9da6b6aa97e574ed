import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodyOf, goingOn, type Json, noLosses, of, sound, time, writeJournal } from "./crafted-records.ts";

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

/** Baselines that another budget has time for. */
const growing: readonly Json[] = [
  { type: "budget", budget: { seconds: 60 } },
  { type: "part", of: "rung", batches: 1, logLikelihoods: noLosses, time, elapsedMs: 1 },
  of("rung"),
  of("baselines"),
  of("plan"),
];

const wholeOf = async (records: readonly Json[]): Promise<string> => {
  const folder = await temporaryFolder();
  writeJournal(
    folder,
    records.map((record, i) => bodyOf(record, i)),
  );
  return folder;
};

test("a journal has more baselines behind another budget, wherever that came", async () => {
  for (const end of ["plan", "ask", "result", "finalists", "verdict"]) {
    const folder = await wholeOf([...sound.slice(0, 1 + sound.indexOf(of(end))), ...growing]);
    expect(readJournal(folder).records.at(-1)?.type, end).toBe("plan");
  }
});

test.each<readonly [what: string, records: readonly Json[], says: string]>([
  ["no other budget", growing.slice(2), "expected it after forecast or rung or another budget, found it after verdict"],
  ["a part without another budget", growing.slice(1), "or another budget, found it after verdict"],
  ["rows that were left out", growing.with(2, { ...of("rung"), from: { quiz: 1 }, to: { quiz: 1 } }), "from and to"],
  ["baselines without a rung", growing.toSpliced(1, 2), "expected it after forecast or rung, found it after verdict"],
  ["no plan", [...growing.slice(0, -1), { ...of("ask"), generation: 1 }], "expected it after plan or result"],
])("a journal is refused for more baselines with %s", async (_, records, says) => {
  const folder = await wholeOf([...sound, ...records]);
  expect(() => readJournal(folder)).toThrow(says);
});
