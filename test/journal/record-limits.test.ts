import { truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { cpuMs } from "../cpu-time.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodiesWith, bodyOf, type Json, of, sound, writeJournal } from "./crafted-records.ts";

const REMEDY = "restore the file from a copy or start a new run";
const LIMITS = "a record has at most 67108864 bytes and 4194304 items, and a journal 268435456 bytes";

/** Journals of so many bytes that each fault, or each item, must cost little. */
const large: readonly (readonly [what: string, number: number, body: string, says: string])[] = [
  ["models", 2, bodyOf({ ...sound[2], models: [] }, 2).replace("[]", `[${"0,".repeat(4e6)}0]`), "record.models[0]"],
  ["losses", 7, bodyOf({ ...of("result"), losses: [] }, 7).replace("[]", `[${"null,".repeat(1.6e6)}0]`), "null at [0]"],
  [
    "scores",
    2,
    bodyOf(sound[2], 2).replace(
      '"scores":{',
      `"scores":{${Array.from({ length: 6e5 }, (_, i) => `"${i}":0,`).join("")}`,
    ),
    "record.models[0].scores.0: expected a mapping, found 0",
  ],
  [
    "tensors",
    1,
    bodyOf(sound[1], 1).replace('"base":{', `"base":{${Array.from({ length: 6e5 }, (_, i) => `"${i}":0,`).join("")}`),
    "record.tensors.base.0: expected text, found 0",
  ],
];

test.each(large)("a journal of millions of %s is refused within the memory", async (...[, number, body, says]) => {
  const folder = await temporaryFolder();
  writeJournal(folder, bodiesWith(number, body));
  const began = cpuMs();
  expect(() => readJournal(folder)).toThrow(says);
  expect(cpuMs() - began).toBeLessThan(20_000);
});

test("a journal is refused before it is read when it is larger than any", async () => {
  const folder = await temporaryFolder();
  writeJournal(folder, []);
  truncateSync(join(folder, "journal.jsonl"), 1e12);
  expect(() => readJournal(folder)).toThrow(
    new UserError(`${join(folder, "journal.jsonl")}: expected at most 268435456 bytes, found 1000000000000; ${REMEDY}`),
  );
  expect(() => Journal.open(folder)).toThrow(UserError);
});

/** The start of a run whose experiment holds so much. */
const startWith = (experiment: Json): Json => ({ ...sound[0], experiment });

test("a record may have texts of megabytes", async () => {
  const folder = await temporaryFolder();
  const record = startWith({ recipes: [1, 2, 3, 4].map((digit) => `${digit}`.repeat(8e6)) });
  writeJournal(folder, [bodyOf(record, 0)]);
  expect(readJournal(folder).records).toEqual([record]);
});

test.each([
  ["more bytes", { text: "x".repeat(2 ** 26) }],
  ["more items", { list: Array.from({ length: 2 ** 22 }, () => 0) }],
])("a record with %s than a reader takes is neither read nor written", async (_, experiment) => {
  const folder = await temporaryFolder();
  writeJournal(folder, [bodyOf(startWith(experiment), 0)]);
  const path = join(folder, "journal.jsonl");
  const refusal = new UserError(`${path}: record 1 is none that a run writes: ${LIMITS}; ${REMEDY}`);
  expect(() => readJournal(folder)).toThrow(refusal);
  expect(() => Journal.open(folder)).toThrow(refusal);
  const run = join(folder, "run");
  expect(() => Journal.create(run, { experiment, identity: {}, versions: {} })).toThrow(
    `${join(run, "journal.jsonl")}: ${LIMITS}, which the next start would exceed; export the best so far`,
  );
});
