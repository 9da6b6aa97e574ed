import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord, LossesRef, StartRecord } from "../../src/journal/records.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const start: Omit<StartRecord, "type" | "format"> = {
  experiment: { name: "demo", seed: 1, title: "é∞\n" },
  identity: { "base/model.safetensors": "ab12" },
  versions: { evomerge: "0.1.0" },
};

const ask = (generation: number, points: number[][]): Exclude<JournalRecord, StartRecord> => ({
  type: "ask",
  generation,
  points,
  rows: { xsum: 3 },
});

const result = (generation: number, losses: number[], rowLosses: LossesRef): Exclude<JournalRecord, StartRecord> => ({
  type: "result",
  generation,
  losses,
  meanLoss: 1 / 3,
  rowLosses,
  elapsedMs: 12.5,
});

/** A closed journal of four records with losses at the second and the last. */
async function writeJournal(): Promise<{ folder: string; path: string; records: readonly JournalRecord[] }> {
  const folder = join(await temporaryFolder(), "run");
  using journal = Journal.create(folder, start);
  journal.append(result(0, [1, 2], journal.appendLosses(Float64Array.of(1, 2, 3))));
  journal.append(ask(1, [[0.1, 0.2]]));
  journal.append(result(1, [Number.NaN, 0.7], journal.appendLosses(Float64Array.of(4, Number.NaN))));
  return { folder, path: join(folder, "journal.jsonl"), records: journal.records };
}

function reopen<T>(folder: string, look: (journal: Journal) => T): T {
  using journal = Journal.open(folder);
  return look(journal);
}

describe("Journal", () => {
  test("replays what was told, in the same process or a later one", async () => {
    const { folder, records } = await writeJournal();
    expect(records.map(({ type }) => type)).toEqual(["start", "result", "ask", "result"]);
    expect(records[0]).toEqual({ type: "start", format: 2, ...start });
    expect(reopen(folder, (journal) => journal.records)).toEqual(records);
    expect(readJournal(folder).records).toEqual(records);
  });

  test("keeps every number bit for bit", async () => {
    const folder = await temporaryFolder();
    const points: number[][] = [];
    {
      using journal = Journal.create(folder, start);
      const number = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, 5e-324));
      fc.assert(
        fc.property(fc.array(number), (point) => {
          points.push(point);
        }),
      );
      journal.append(ask(0, points));
    }
    const replayed = reopen(folder, (journal) => journal.records[1]);
    expect(
      replayed?.type === "ask" &&
        replayed.points.every((point, i) => point.every((value, j) => Object.is(value, points[i]![j]))),
    ).toBe(true);
  });

  test("cuts a last record off that is torn at any byte, and goes on from there", async () => {
    const { folder, path, records } = await writeJournal();
    const whole = readFileSync(path);
    const torn = whole.lastIndexOf("\n", whole.length - 2) + 1;
    for (let length = torn; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(readJournal(folder).records).toEqual(records.slice(0, 3));
      using journal = Journal.open(folder);
      expect(journal.tornBytes).toBe(length - torn);
      expect(journal.records).toEqual(records.slice(0, 3));
      expect(readFileSync(path)).toEqual(whole.subarray(0, torn));
    }
    using journal = Journal.open(folder);
    journal.append(result(1, [Number.NaN, 0.7], journal.appendLosses(Float64Array.of(4, Number.NaN))));
    expect(readFileSync(path)).toEqual(whole);
  });

  test("cuts a last record off whose line was not written whole", async () => {
    const { folder, path, records } = await writeJournal();
    const whole = readFileSync(path);
    whole.fill(0, whole.length - 40, whole.length - 20);
    writeFileSync(path, whole);
    expect(reopen(folder, (journal) => journal.records)).toEqual(records.slice(0, 3));
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
    const [first, second, third, fourth] = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, [first, third, second, fourth, ""].join("\n"));
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
    expect(() => journal.append(ask(2, []))).toThrow("closed");
    expect(reopen(folder, ({ records }) => records.length)).toBe(4);
  });

  test("says what the file system refused", async () => {
    const { folder } = await writeJournal();
    const file = join(folder, "journal.jsonl");
    expect(() => Journal.create(join(file, "run"), start)).toThrow(UserError);
  });
});

describe("losses of a journal", () => {
  test("come back bit for bit, also for a reader of the running journal", async () => {
    const folder = await temporaryFolder();
    using journal = Journal.create(folder, start);
    fc.assert(
      fc.property(fc.float64Array(), (losses) => {
        const ref = journal.appendLosses(losses);
        expect(Buffer.from(journal.readLosses(ref).buffer)).toEqual(Buffer.from(losses.buffer));
        expect(readJournal(folder).readLosses(ref)).toEqual(losses);
      }),
      { numRuns: 30 },
    );
  });

  test("that no record names are cut off on opening", async () => {
    const { folder } = await writeJournal();
    const path = join(folder, "losses.bin");
    reopen(folder, (journal) => journal.appendLosses(Float64Array.of(8, 9)));
    appendFileSync(path, "torn");
    expect(readFileSync(path).length).toBe(5 * 8 + 2 * 8 + 4);
    reopen(folder, (journal) => {
      expect(readFileSync(path).length).toBe(5 * 8);
      const ref = journal.appendLosses(Float64Array.of(10));
      expect([...journal.readLosses(ref)]).toEqual([10]);
    });
  });

  test("that are damaged or missing are an error", async () => {
    const { folder, records } = await writeJournal();
    const path = join(folder, "losses.bin");
    const last = records.at(-1);
    const ref = last?.type === "result" ? last.rowLosses : undefined;
    const losses = readFileSync(path);
    losses[30] = losses[30]! ^ 1;
    writeFileSync(path, losses);
    expect(() => readJournal(folder).readLosses(ref!)).toThrow(`${path}: the 2 losses at byte 24 are damaged`);
    truncateSync(path, 39);
    expect(() => readJournal(folder).readLosses(ref!)).toThrow("are damaged");
    expect(() => Journal.open(folder)).toThrow(`${path} is cut short: expected 40 bytes, found 39`);
  });
});
