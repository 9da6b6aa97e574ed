import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodyOf, type Json, of, sound, time, writeJournal } from "./crafted-records.ts";

/** Behind the points of two candidates: a loss of each, and two derivatives. */
const rowLosses = { offset: 80, count: 2, checksum: "00000000" };
const gradients = { offset: 96, count: 4, checksum: "00000000" };
const part: Json = { type: "gradient", rowLosses, gradients, time, elapsedMs: 1 };
const ask: Json = { ...of("ask"), rows: { quiz: 2 }, parts: 2 };
const result: Json = { ...of("result"), rowLosses: { ...rowLosses, offset: 128, count: 0 } };

/** A sound journal up to its first generation, which is `records`. */
async function written(records: readonly Json[]): Promise<string> {
  const folder = await temporaryFolder();
  const all = [...sound.slice(0, sound.indexOf(of("ask"))), ...records];
  writeJournal(
    folder,
    all.map((record, i) => bodyOf(record, i, i === 0 ? 0 : 128)),
    128,
  );
  return folder;
}

test("a generation has parts with gradients before its result, and may have none", async () => {
  for (const records of [
    [ask, part, result],
    [ask, result],
    [ask, part],
  ]) {
    const folder = await written(records);
    expect(readJournal(folder).records.at(-1)).toMatchObject({ type: records.at(-1)!["type"] });
  }
});

test.each<readonly [what: string, records: readonly Json[], says: string]>([
  ["before its generation", [part], "expected it after ask, found it after plan"],
  ["without being asked in parts", [of("ask"), part], "expected no more parts than the generation has"],
  ["once all but the last are there", [ask, part, later(part)], "expected no more parts than the generation has"],
  [
    "with too few derivatives",
    [ask, { ...part, gradients: { ...gradients, count: 2 } }],
    "gradients: expected 4, found 2",
  ],
  ["of more parts than rows", [{ ...ask, parts: 3 }], "parts: expected at most the 2 rows, found 3"],
  ["of one part", [{ ...ask, parts: 1 }], "record.parts: expected at least 2, found 1"],
  ["with losses that others have", [ask, { ...part, rowLosses: { ...rowLosses, offset: 0 } }], "rowLosses: expected a"],
])("a journal is refused for gradients %s", async (_, records, says) => {
  const folder = await written(records);
  expect(() => readJournal(folder)).toThrow(says);
});

function later(record: Json): Json {
  return {
    ...record,
    rowLosses: { ...rowLosses, offset: 128, count: 0 },
    gradients: { ...gradients, offset: 128, count: 0 },
  };
}
