import { expect, test } from "vitest";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord } from "../../src/journal/records.ts";
import { MAX_COLUMNS } from "../../src/space/column-layout.ts";
import { joined, sameBits } from "../../src/tensor/float64.ts";
import { pack } from "../../src/tensor/packed.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { begin, bodyOf, type Json, model, noLosses, of, points, sound, writeJournal } from "./crafted-records.ts";

/** Two genes with names and one without, of two candidates. */
const { inject: _, ...alone } = of("plan");
const plan: Json = { ...alone, columns: 1, start: { ...begin, count: 3 } };
const ask: Json = { ...of("ask"), points: { ...points, offset: 40, count: 6 } };
const rowLosses = { ...noLosses, offset: 88 };
const result: Json = { ...of("result"), rowLosses, gradients: { ...rowLosses, count: 6 } };
const another: Json = { type: "budget", budget: { seconds: 60 } };

/** A sound journal up to its baselines, and these records behind them, with so many bytes of numbers. */
async function written(records: readonly Json[], numberBytes = 136): Promise<string> {
  const folder = await temporaryFolder();
  const all = [...sound.slice(0, sound.indexOf(of("plan"))), ...records];
  writeJournal(
    folder,
    all.map((record, i) => bodyOf(record, i, i === 0 ? 0 : numberBytes)),
    numberBytes,
  );
  return folder;
}

test("genes without names are counted in points and gradients", async () => {
  const records = [plan, ask, result, another, { ...plan, rowFraction: 0.5 }];
  const folder = await written(records);
  expect(readJournal(folder).records.slice(-records.length)).toEqual(records);
});

test("a plan of five million genes is written and read back", async () => {
  const folder = await written([], 16);
  const columns = 5_000_000;
  const start = new Float64Array(2 + columns).map((_, i) => (i % 1001) / 1000);
  const beside = joined([start.map((value) => 1 - value), new Float64Array(start.length).fill(0.5)]);
  {
    using journal = Journal.open(folder);
    const first = { start: journal.appendNumbers(start), inject: journal.appendNumbers(beside) };
    const planned = { ...of("plan"), ...first, columns } as Exclude<JournalRecord, { type: "start" }>;
    journal.append(planned);
    journal.append({ type: "budget", budget: { seconds: 60 } });
    journal.append({ ...planned, rowFraction: 0.5 } as typeof planned);
  }
  const { records, ...view } = readJournal(folder);
  const plans = records.filter((record) => record.type === "plan");
  expect(plans.map(({ rowFraction }) => rowFraction)).toEqual([1, 0.5]);
  const last = plans.at(-1)!;
  expect(sameBits(view.readPoints(last.start), start)).toBe(true);
  expect(sameBits(view.readPoints(last.inject!), beside)).toBe(true);
});

test.each<readonly [what: string, records: readonly Json[], says: string]>([
  [
    "points of the named genes alone",
    [plan, { ...ask, points }],
    "points: expected at least 2 of 3 numbers each, found 4 numbers",
  ],
  [
    "gradients of the named genes alone",
    [plan, ask, { ...result, gradients: { ...rowLosses, count: 4 } }],
    "gradients: expected 6, found 4",
  ],
  [
    "fewer of them with another budget",
    [plan, another, { ...alone, start: begin }],
    "columns: expected that of the first plan, found another",
  ],
])("a journal is refused for %s", async (_, records, says) => {
  const folder = await written(records);
  expect(() => readJournal(folder)).toThrow(says);
});

test("a winner may have coefficients of as many columns as a search space", async () => {
  const columns = { weight: { "lm_head.weight": { base: pack(new Float32Array(MAX_COLUMNS).fill(0.8)) } } };
  const recipe = { method: "linear", parameters: { weight: {} }, columns };
  const finalists = { ...of("finalists"), winner: { ...model, recipe } };
  const folder = await written([plan, finalists]);
  expect(readJournal(folder).records.at(-1)).toEqual(finalists);
});
