import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord, NumbersRef, StartRecord } from "../../src/journal/records.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { expectations } from "./crafted-records.ts";

const start: Omit<StartRecord, "type" | "format" | "folder"> = {
  experiment: { name: "demo", seed: 1, title: "é∞\n" },
  identity: { "base/model.safetensors": "ab12" },
  versions: { evomerge: "0.1.0" },
};

type Step = Exclude<JournalRecord, StartRecord>;

const parents: Step = { type: "parents", tensors: { base: { "model.norm.weight": `bf16 [2] ${"a1".repeat(32)}` } } };

const baselines: Step = {
  type: "baselines",
  models: [
    {
      name: "base",
      recipe: { method: "passthrough", model: "base" },
      scores: { xsum: { loss: 2 } },
      loss: Number.NaN,
      rows: { xsum: 3 },
    },
  ],
  skipped: [],
  scales: { xsum: 2 },
  elapsedMs: 8,
};

const time = { models: 1, tokens: 48, passes: 1, ms: 3.5, waitMs: 0.25 };

const forecast = (rowLosses: NumbersRef): Step => ({
  type: "forecast",
  models: [{ name: "base", scores: { xsum: { loss: 2 } } }],
  from: { xsum: 0 },
  to: { xsum: 3 },
  rowLosses,
  firstTime: time,
  time,
  ...expectations,
  generations: 3,
  elapsedMs: 7,
});

/** Of two genes and as many candidates a generation as are asked for. */
const plan = (candidates: number, start: NumbersRef): Step => ({
  type: "plan",
  algorithm: "cma-es",
  genes: ["a.all.weight", "b.all.weight"],
  ranges: [
    [0, 1],
    [-1, 1],
  ],
  start,
  candidates,
  rowFraction: 0.1,
  elapsedMs: 9,
});

const ask = (generation: number, points: NumbersRef): Step => ({
  type: "ask",
  generation,
  points,
  rows: { xsum: 3 },
});

const origin = Float64Array.of(0.5, 1 / 3);
const points = Float64Array.of(0.1, 0.2, 0, 1);

const result = (generation: number, losses: number[], rowLosses: NumbersRef): Step => ({
  type: "result",
  generation,
  losses,
  reference: 1,
  rowLosses,
  work: 1 / 3,
  spent: 0.5,
  time,
  elapsedMs: 12.5,
});

function lastResult(journal: Journal): Step {
  return result(0, [Number.NaN, 0.7], journal.appendNumbers(Float64Array.of(4, Number.NaN)));
}

/** A closed journal of seven records with losses at the third and the last and points in the two before that. */
async function writeJournal(): Promise<{ folder: string; path: string; records: readonly JournalRecord[] }> {
  const folder = join(await temporaryFolder(), "run");
  using journal = Journal.create(folder, start);
  journal.append(parents);
  journal.append(forecast(journal.appendNumbers(Float64Array.of(1, 2, 3))));
  journal.append(baselines);
  journal.append(plan(2, journal.appendNumbers(origin)));
  journal.append(ask(0, journal.appendNumbers(points)));
  journal.append(lastResult(journal));
  return { folder, path: join(folder, "journal.jsonl"), records: journal.records };
}

function isSame(found: readonly number[], expected: readonly number[]): boolean {
  return found.length === expected.length && found.every((value, i) => Object.is(value, expected[i]));
}

function reopen<T>(folder: string, look: (journal: Journal) => T): T {
  using journal = Journal.open(folder);
  return look(journal);
}

describe("Journal", () => {
  test("replays what was told, in the same process or a later one", async () => {
    const { folder, records } = await writeJournal();
    expect(records.map(({ type }) => type)).toEqual([
      "start",
      "parents",
      "forecast",
      "baselines",
      "plan",
      "ask",
      "result",
    ]);
    expect(records[0]).toEqual({ type: "start", format: 7, folder, ...start });
    expect(reopen(folder, (journal) => journal.records)).toEqual(records);
    expect(readJournal(folder).records).toEqual(records);
  });

  test("keeps every number bit for bit", async () => {
    const folder = await temporaryFolder();
    const losses = [Number.NaN, Infinity, -Infinity, -0, 5e-324];
    const point = [-0, 5e-324, 1, 1 - 2 ** -53, 0.1];
    fc.assert(fc.property(fc.double(), (loss) => void losses.push(loss)));
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (value) => void point.push(value)));
    const manyPoints = losses.flatMap(() => point);
    {
      using journal = Journal.create(folder, start);
      journal.append(parents);
      journal.append(forecast(journal.appendNumbers(Float64Array.of(1, 2, 3))));
      journal.append(baselines);
      journal.append({
        ...plan(losses.length, journal.appendNumbers(Float64Array.from(point))),
        genes: point.map(String),
        ranges: point.map(() => [0, 1]),
        inject: journal.appendNumbers(Float64Array.from([...point, ...point])),
      } as Step);
      journal.append(ask(0, journal.appendNumbers(Float64Array.from(manyPoints))));
      journal.append(result(0, losses, journal.appendNumbers(Float64Array.from(losses))));
    }
    const [, , , , planned, asked, told] = reopen(folder, (journal) => journal.records);
    const view = readJournal(folder);
    const read = (ref: NumbersRef | undefined): number[] => (ref ? [...view.readPoints(ref)] : []);
    expect(planned?.type === "plan" && isSame(read(planned.start), point)).toBe(true);
    expect(planned?.type === "plan" && isSame(read(planned.inject), [...point, ...point])).toBe(true);
    expect(asked?.type === "ask" && isSame(read(asked.points), manyPoints)).toBe(true);
    expect(told?.type === "result" && isSame(told.losses, losses)).toBe(true);
  });

  test("keeps any text, line separators of Unicode and lone surrogates too", async () => {
    const folder = await temporaryFolder();
    const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
    for (const [i, path] of [
      "a\u2028b",
      "\u2029",
      "\u0085",
      "\r\n",
      ...fc.sample(text, { numRuns: 100, seed: 1 }),
    ].entries()) {
      const given = { ...start, experiment: { base: path, [`k${path}`]: path } };
      Journal.create(join(folder, `${i}`), given).close();
      expect(readJournal(join(folder, `${i}`)).records).toEqual([
        { type: "start", format: 7, folder: join(folder, `${i}`), ...given },
      ]);
    }
  });

  test("writes no record that it would not read", async () => {
    const { folder, path, records } = await writeJournal();
    const before = readFileSync(path);
    using journal = Journal.open(folder);
    expect(() => journal.append({ ...lastResult(journal), losses: [1, "2"] } as unknown as Step)).toThrow(
      new UserError(
        `${path}: record 8 is none that a run writes: record.losses: expected a list of numbers, found '2' at [1]; restore the file from a copy or start a new run`,
      ),
    );
    expect(readFileSync(path)).toEqual(before);
    expect(reopen(folder, (journal) => journal.records)).toEqual(records);
    const numberless = { ...start, experiment: { x: { $number: "NaN" } } };
    expect(() => Journal.create(join(folder, "other"), numberless)).toThrow("would be read as a number");
    expect(() => readJournal(join(folder, "other"))).toThrow("holds no run");
  });

  test("cuts a last record off that is torn at any byte, and goes on from there", async () => {
    const { folder, path, records } = await writeJournal();
    const whole = readFileSync(path);
    const torn = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = torn; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(readJournal(folder).records).toEqual(records.slice(0, 6));
      using journal = Journal.open(folder);
      expect(journal.tornBytes).toBe(length - torn);
      expect(journal.records).toEqual(records.slice(0, 6));
      expect(readFileSync(path)).toEqual(whole.subarray(0, torn));
    }
    using journal = Journal.open(folder);
    journal.append(lastResult(journal));
    expect(readFileSync(path)).toEqual(whole);
  });

  test("cuts a last record off whose line was not written whole", async () => {
    const { folder, path, records } = await writeJournal();
    const whole = readFileSync(path);
    whole.fill(0, whole.length - 40, whole.length - 20);
    writeFileSync(path, whole);
    expect(reopen(folder, (journal) => journal.records)).toEqual(records.slice(0, 6));
  });

  test("refuses damage before the last record and names the record", async () => {
    const { folder, path } = await writeJournal();
    const whole = readFileSync(path);
    const last = whole.lastIndexOf("\n", whole.length - 2);
    for (let i = 0; i < last; i += 7) {
      const damaged = Buffer.from(whole);
      damaged[i] = damaged[i]! ^ 1;
      writeFileSync(path, damaged);
      const record = whole.subarray(0, i).toString().split("\n").length;
      expect(() => Journal.open(folder)).toThrow(UserError);
      expect(() => Journal.open(folder)).toThrow(`${path}: record ${record} is damaged`);
    }
  });

  test("refuses records that were removed or moved", async () => {
    const { folder, path } = await writeJournal();
    const [first, second, third, ...others] = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, [first, third, second, ...others].join("\n"));
    expect(() => Journal.open(folder)).toThrow("record 2 is damaged");
    writeFileSync(path, [second, third, ""].join("\n"));
    expect(() => Journal.open(folder)).toThrow("record 1 is damaged");
    writeFileSync(path, "");
    expect(() => Journal.open(folder)).toThrow("record 1 is damaged: expected the start record");
  });

  test("refuses to start where a run is, to open where none is, and a second writer", async () => {
    const { folder } = await writeJournal();
    expect(() => Journal.create(folder, start)).toThrow(`${folder} already holds a run`);
    expect(() => Journal.open(join(folder, "none"))).toThrow(`${join(folder, "none")} holds no run`);
    expect(() => readJournal(join(folder, "none"))).toThrow(UserError);
    using journal = Journal.open(folder);
    expect(() => Journal.open(folder)).toThrow(`in use by process ${process.pid}`);
    journal.close();
    expect(() => journal.append(parents)).toThrow("closed");
    expect(reopen(folder, ({ records }) => records.length)).toBe(7);
  });

  test("replaces no file of another", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "numbers.bin"), "mine");
    writeFileSync(join(folder, "journal.jsonl.incomplete"), "mine");
    expect(() => Journal.create(folder, start)).toThrow(
      new UserError(
        `${join(folder, "numbers.bin")} belongs to no run here and would be replaced; move it or choose another folder`,
      ),
    );
    expect(readFileSync(join(folder, "numbers.bin"), "utf8")).toBe("mine");
    writeFileSync(join(folder, "numbers.bin"), "");
    Journal.create(folder, start).close();
    expect(readFileSync(join(folder, "journal.jsonl.incomplete"), "utf8")).toBe("mine");
  });

  test("says what the file system refused", async () => {
    const { folder } = await writeJournal();
    const file = join(folder, "journal.jsonl");
    expect(() => Journal.create(join(file, "run"), start)).toThrow(UserError);
  });
});

describe("numbers of a journal", () => {
  test("that no record names are cut off on opening", async () => {
    const { folder } = await writeJournal();
    const path = join(folder, "numbers.bin");
    reopen(folder, (journal) => journal.appendNumbers(Float64Array.of(8, 9)));
    appendFileSync(path, "torn");
    expect(readFileSync(path).length).toBe(11 * 8 + 2 * 8 + 4);
    reopen(folder, (journal) => {
      expect(readFileSync(path).length).toBe(11 * 8);
      const ref = journal.appendNumbers(Float64Array.of(10));
      expect([...journal.readNumbers(ref)]).toEqual([10]);
    });
  });

  test("that are damaged or missing are an error", async () => {
    const { folder, records } = await writeJournal();
    const path = join(folder, "numbers.bin");
    const last = records.at(-1);
    const ref = last?.type === "result" ? last.rowLosses : undefined;
    const losses = readFileSync(path);
    losses[76] = losses[76]! ^ 1;
    writeFileSync(path, losses);
    expect(() => readJournal(folder).readNumbers(ref!)).toThrow(`${path}: the 2 numbers at byte 72 are damaged`);
    truncateSync(path, 87);
    expect(() => readJournal(folder).readNumbers(ref!)).toThrow("are damaged");
    expect(() => Journal.open(folder)).toThrow(`${path} is cut short: expected 88 bytes, found 87`);
  });
});
