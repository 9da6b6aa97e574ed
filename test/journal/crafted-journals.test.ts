import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import {
  begin,
  beside,
  bodiesWith,
  bodyOf,
  goingOn,
  guarded,
  type Json,
  merged,
  model,
  noLosses,
  NUMBER_BYTES,
  of,
  points,
  ranges,
  rowLosses,
  sound,
  tensor,
  time,
  writeJournal,
} from "./crafted-records.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const REMEDY = "restore the file from a copy or start a new run";

const rows = { quiz: 2 };

/** What is changed in the record of a kind, and how the sentence about it goes on. */
const faults: readonly (readonly [type: string, change: Json, says: string])[] = [
  ["start", { format: 1e9 }, "expected journal format 7, found 1000000000; use the version that wrote it"],
  ["start", { format: 6 }, "expected journal format 7, found 6; use the version that wrote it"],
  ["start", { format: { a: [] } }, "expected journal format 7, found [Object]; use the version that wrote it"],
  ["start", { experiment: [] }, "record.experiment: expected a mapping, found a list of 0"],
  ["start", { identity: { a: 7 } }, "record.identity.a: expected text, found 7"],
  ["start", { versions: null }, "record.versions: expected a mapping, found nothing"],
  ["parents", { tensors: { base: { a: 7 } } }, "record.tensors.base.a: expected text, found 7"],
  ["parents", { tensors: { base: { a: tensor.slice(5) } } }, "record.tensors.base.a: "],
  ["parents", { tensors: { base: { a: `${tensor}0` } } }, "record.tensors.base.a: "],
  ["parents", { tensors: [] }, "record.tensors: expected a mapping, found a list of 0"],
  ["part", { of: "result" }, "expected it after ask, found it after finalists"],
  ["part", { of: "plan" }, "record.of: expected rung, result"],
  ["part", { batches: 0 }, "record.batches: expected at least 1, found 0"],
  [
    "part",
    { logLikelihoods: { ...noLosses, count: 5 } },
    "logLikelihoods: expected an end of at most 112 bytes, found 120",
  ],
  [
    "part",
    { logLikelihoods: rowLosses },
    "logLikelihoods: expected a beginning behind the 80 bytes of earlier records, found 0",
  ],
  ["part", { time: { ...time, ms: -1 } }, "record.time.ms: expected at least 0, found -1"],
  ["baselines", { type: "plan" }, "record: missing key"],
  ["baselines", { type: "start" }, "record"],
  ["baselines", { type: "wild" }, "record.type: "],
  ["baselines", { models: [] }, "record.models: expected at least 1 item, found a list of 0"],
  ["baselines", { models: [null] }, "record.models[0]: expected a mapping, found nothing"],
  ["baselines", { models: [{ ...model, rows, scores: {} }] }, "scores: expected the tasks [ 'quiz' ], found []"],
  [
    "baselines",
    { models: [{ ...model, rows, scores: { quiz: {} } }] },
    "record.models[0].scores.quiz.loss: expected a number, found undefined",
  ],
  [
    "baselines",
    { models: [{ ...model, rows, scores: { quiz: { loss: 1, metrics: { brier: "0" } } } }] },
    "record.models[0].scores.quiz.metrics.brier: expected a number, found '0'",
  ],
  ["baselines", { models: [{ ...model, recipe: { method: "x" } }] }, "record.models[0].recipe"],
  ["baselines", { models: [{ ...model, name: "n".repeat(5000) }] }, "record.models[0].name: expected at most 4096"],
  ["baselines", { scales: {} }, "scales: expected at least one task, found none"],
  ["baselines", { scales: { quiz: 0 } }, "record.scales.quiz: expected more than 0, found 0"],
  ["baselines", { scales: { quiz: { $number: "Infinity" } } }, "record.scales.quiz: expected"],
  ["forecast", { wholeMs: -1 }, "record.wholeMs: expected at least 0, found -1"],
  ["forecast", { time: { ...time, ms: { $number: "NaN" } } }, "record.time.ms: expected"],
  ["forecast", { from: { quiz: 1 } }, "from and to: expected rows from the end of the rung before, found others"],
  ["forecast", { to: { quiz: 1 } }, "rowLosses: expected 1, found 2"],
  ["forecast", { models: [{ name: "base", scores: {} }] }, "scores: expected the tasks [ 'quiz' ], found []"],
  ["rung", { from: { quiz: 2 } }, "from and to: expected rows from the end of the rung before, found others"],
  ["forecast", { rowLosses: { ...rowLosses, offset: -8 } }, "record.rowLosses.offset: expected at least 0"],
  [
    "forecast",
    { rowLosses: { ...rowLosses, offset: 104 } },
    "rowLosses: expected an end of at most 112 bytes, found 120",
  ],
  ["forecast", { rowLosses: { ...rowLosses, count: 2 ** 26 } }, "rowLosses: expected an end of at most 112 bytes"],
  ["forecast", { rowLosses: { ...rowLosses, count: 1e15 } }, "record.rowLosses.count: expected at most 134217728"],
  ["forecast", { rowLosses: { ...rowLosses, count: 1.5 } }, "record.rowLosses.count: expected a whole number"],
  ["forecast", { rowLosses: { ...rowLosses, checksum: "" } }, "record.rowLosses.checksum"],
  ["baselines", { more: 1 }, 'unknown key "more"'],
  ["plan", { genes: [], start: [] }, "record.genes: expected at least 1 item"],
  ["plan", { ranges: [[0, 1]] }, "ranges: expected a list of 2, found one of 1"],
  [
    "plan",
    {
      ranges: [
        [0, null],
        [0, 1],
      ],
    },
    "record.ranges[0][1]: expected a number, found nothing",
  ],
  ["plan", { start: [0, 1] }, "record.start: expected a mapping, found a list of 2"],
  ["plan", { start: undefined }, 'missing key "start"'],
  ["plan", { start: { ...begin, count: 1 } }, "start: expected 2, found 1"],
  ["plan", { start: { ...begin, count: 4 } }, "start: expected 2, found 4"],
  ["plan", { start: { ...begin, count: 13 } }, "start: expected an end of at most 112 bytes, found 120"],
  ["plan", { start: { ...begin, offset: 8 } }, "start: expected a beginning behind the 16 bytes of earlier records"],
  ["plan", { inject: [[0, 1]] }, "record.inject: expected a mapping, found a list of 1"],
  ["plan", { inject: { ...beside, count: 0 } }, "inject: expected at least 1 of 2 numbers each, found 0 numbers"],
  ["plan", { inject: { ...beside, count: 3 } }, "inject: expected at least 1 of 2 numbers each, found 3 numbers"],
  ["plan", { inject: { ...beside, count: 11 } }, "inject: expected an end of at most 112 bytes, found 120"],
  ["plan", { inject: { ...beside, offset: 0 } }, "inject: expected a beginning behind the 16 bytes of earlier records"],
  ["plan", { columns: 0 }, "record.columns: expected at least 1, found 0"],
  ["plan", { columns: 0.5 }, "record.columns: expected a whole number, found 0.5"],
  ["plan", { columns: 1 }, "start: expected 3, found 2"],
  [
    "plan",
    { columns: 1, start: { ...begin, count: 3 } },
    "inject: expected at least 1 of 3 numbers each, found 2 numbers",
  ],
  [
    "plan",
    { columns: 1, start: { ...begin, count: 3 }, inject: undefined, ranges: [...ranges, [0, 1]] },
    "ranges: expected a list of 2, found one of 3",
  ],
  ["plan", { candidates: 1e9 }, "record.candidates: expected at most 100000, found 1000000000"],
  ["plan", { candidates: 2.5 }, "record.candidates: expected a whole number, found 2.5"],
  ["plan", { rowFraction: 0 }, "record.rowFraction: expected more than 0, found 0"],
  ["plan", { elapsedMs: "soon" }, 'record.elapsedMs: expected a number, found "soon"'],
  ["ask", { generation: 1 }, "generation: expected 0, found 1"],
  ["ask", { points: { ...points, count: 2 } }, "points: expected at least 2 of 2 numbers each, found 2 numbers"],
  ["ask", { points: { ...points, count: 5 } }, "points: expected at least 2 of 2 numbers each, found 5 numbers"],
  ["ask", { points: { ...points, count: 9 } }, "points: expected an end of at most 112 bytes, found 120"],
  ["ask", { points: { ...points, offset: 8 } }, "points: expected a beginning behind the 48 bytes of earlier records"],
  [
    "ask",
    {
      points: [
        [0, 1],
        [0.5, 0.5],
      ],
    },
    "record.points: expected a mapping, found a list of 2",
  ],
  ["ask", { rows: {} }, "rows: expected the tasks [ 'quiz' ], found []"],
  ["ask", { rows: { quiz: -1 } }, "record.rows.quiz: expected at least 0, found -1"],
  ["result", { losses: [1] }, "losses: expected a list of 2, found one of 1"],
  ["result", { losses: [1, null] }, "record.losses: expected a list of numbers, found null at [1]"],
  ["result", { losses: [1, { $number: "7" }] }, "record.losses: expected a list of numbers, found [Object] at [1]"],
  ["result", { reference: 2 }, "reference: expected less than 2, found 2"],
  ["result", { gradients: { ...noLosses, count: 5 } }, "gradients: expected an end of at most 112 bytes, found 120"],
  ["result", { gradients: noLosses }, "gradients: expected 4, found 0"],
  ["result", { work: { $number: "NaN", a: 1 } }, "record.work: expected a number, found a mapping"],
  ["result", { spent: 1.5 }, "record.spent: expected at most 1, found 1.5"],
  ["finalists", { winner: undefined }, 'record: missing key "winner"'],
  ["finalists", { winner: { ...model, scores: { other: { loss: 1 } } } }, "scores: expected the tasks [ 'quiz' ]"],
  [
    "finalists",
    { winner: merged([0, 1e308], 0) },
    "record.winner.recipe.parameters.weight.mlp.base.layers: expected a list of numbers from -1000 to 1000, found 1e+308 at [1]",
  ],
  [
    "finalists",
    { winner: merged([0], -1000.5) },
    "record.winner.recipe.parameters.weight.mlp.base.rest: expected at least -1000, found -1000.5",
  ],
  ["finalists", { type: "verdict" }, "record"],
  ["verdict", { models: [guarded] }, "models: expected one winner, found 0"],
  ["verdict", { models: [{ ...guarded, kind: "winner" }] }, "gains: expected them of every model but the winner"],
  ["verdict", { models: [{ ...guarded, kind: "king" }] }, "record.models[0].kind: expected parent, average"],
  ["verdict", { models: [{ ...guarded, kind: "winner", gains: undefined, intervals: {} }] }, "intervals: expected"],
  ["verdict", { groups: { news: 4 } }, "groups: expected the tasks [ 'quiz' ], found [ 'news' ]"],
  ["verdict", { weightsDigest: "<script>" }, "record.weightsDigest: "],
];

describe("a journal with valid checksums", () => {
  test("with the largest coefficients that a search space has is read", async () => {
    const folder = await temporaryFolder();
    const number = sound.indexOf(of("finalists"));
    const record = { ...of("finalists"), winner: merged([1000, -1000], 1000) };
    writeJournal(folder, bodiesWith(number, bodyOf(record, number)));
    expect(readJournal(folder).records[number]).toEqual(record);
  });

  test("that a run could have written is read", async () => {
    const folder = await temporaryFolder();
    const records = [...sound, ...goingOn];
    writeJournal(
      folder,
      records.map((record, i) => bodyOf(record, i)),
    );
    expect(readJournal(folder).records).toEqual(records);
    using journal = Journal.open(folder);
    expect(journal.records).toEqual(records);
  });

  test.each(faults)("is refused for its %s with %j", async (...[type, change, says]) => {
    const folder = await temporaryFolder();
    const number = sound.findIndex((record) => record["type"] === type);
    writeJournal(folder, bodiesWith(number, bodyOf({ ...sound[number], ...change }, number)));
    const before = readFileSync(join(folder, "journal.jsonl"));
    for (const open of [readJournal, (run: string) => Journal.open(run)]) {
      expect(() => open(folder)).toThrow(UserError);
      expect(() => open(folder)).toThrow(says);
    }
    expect(readFileSync(join(folder, "journal.jsonl"))).toEqual(before);
    expect(readFileSync(join(folder, "numbers.bin"))).toHaveLength(NUMBER_BYTES);
  });

  const entries: readonly (readonly [what: string, number: number, body: string, says: string])[] = [
    ["another place", 2, bodyOf(sound[2], 3), "record 3 is damaged: expected a valid checksum and sequence 2"],
    ["fewer numbers than before", 4, bodyOf(sound[4], 4, 8), "numberBytes: expected at least 112, found 8"],
    ["a part of a number", 4, bodyOf(sound[4], 4, 17), "numberBytes: "],
    ["numbers without end", 4, bodyOf(sound[4], 4, 1e300), "numberBytes: "],
    ["no record", 1, '{"sequence":1,"numberBytes":16}', 'missing key "record"'],
    ["a record that is a list", 1, bodyOf([], 1), "record: expected a mapping, found a list of 0"],
    ["no JSON", 1, '{"sequence":1,}', "record 2 is damaged"],
    ["a list", 1, "[1,2]", "record 2 is damaged"],
    ["a key that is no key", 2, bodyOf(sound[2], 2).replace('"quiz"', '"__proto__"'), "record 3 is damaged"],
    ["a nested value", 1, `{"sequence":1,"record":${"[".repeat(1e6)}${"]".repeat(1e6)}}`, "record 2 is damaged"],
    [
      "weights that are not those of its start",
      3,
      bodyOf(sound[1], 3),
      "expected it after start, found it after forecast",
    ],
    ["baselines of unknown weights", 1, bodyOf(sound[2], 1), "expected it after parents, found it after start"],
    ["a result that nothing asked for", 6, bodyOf(of("result"), 6), "expected it after ask, found it after plan"],
    ["a second start", 1, bodyOf(sound[0], 1), "expected it after nothing, found it after start"],
  ];

  test.each(entries)("is refused for %s", async (...[, number, body, says]) => {
    const folder = await temporaryFolder();
    writeJournal(folder, bodiesWith(number, body));
    expect(() => readJournal(folder)).toThrow(UserError);
    expect(() => readJournal(folder)).toThrow(says);
    expect(() => Journal.open(folder)).toThrow(says);
  });

  test("is refused for its last record too, which is not torn", async () => {
    const folder = await temporaryFolder();
    writeJournal(folder, bodiesWith(10, bodyOf({ type: "verdict" }, 10)));
    expect(() => Journal.open(folder)).toThrow(`record 11 is none that a run writes: record: missing key "models"`);
    writeJournal(folder, bodiesWith(10, "{}"));
    expect(() => Journal.open(folder)).toThrow("record 11 is damaged: expected a valid checksum");
    expect(() => readJournal(folder)).toThrow(REMEDY);
  });
});

describe("a journal that is no journal", () => {
  test.skipIf(process.platform === "win32").each(["journal.jsonl", "numbers.bin"])(
    "is refused when %s is a pipe or a device",
    async (file) => {
      const folder = await temporaryFolder();
      writeJournal(
        folder,
        sound.map((record, i) => bodyOf(record, i)),
      );
      for (const make of [
        (path: string): unknown => execFileSync("mkfifo", [path]),
        (path: string): unknown => symlinkSync("/dev/zero", path),
      ]) {
        rmSync(join(folder, file));
        make(join(folder, file));
        expect(() => Journal.open(folder)).toThrow(UserError);
      }
    },
  );
});
