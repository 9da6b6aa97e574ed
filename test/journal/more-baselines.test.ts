import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodyOf, type Json, noLosses, of, sound, time, writeJournal } from "./crafted-records.ts";

/** Baselines that another budget has time for. */
const growing: readonly Json[] = [
  { type: "budget", budget: { seconds: 60 } },
  { type: "part", of: "rung", batches: 1, logLikelihoods: noLosses, time, elapsedMs: 1 },
  { ...of("rung"), rowLosses: noLosses },
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
  [
    "rows that were left out",
    growing.with(2, { ...of("rung"), rowLosses: noLosses, from: { quiz: 1 }, to: { quiz: 1 } }),
    "from and to",
  ],
  ["baselines without a rung", growing.toSpliced(1, 2), "expected it after forecast or rung, found it after verdict"],
  ["no plan", [...growing.slice(0, -1), { ...of("ask"), generation: 1 }], "expected it after plan or result"],
])("a journal is refused for more baselines with %s", async (_, records, says) => {
  const folder = await wholeOf([...sound, ...records]);
  expect(() => readJournal(folder)).toThrow(says);
});
