import { expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { MAX_COLUMNS } from "../../src/space/column-layout.ts";
import { pack } from "../../src/tensor/packed.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { bodyOf, type Json, model, noLosses, of, points, sound, writeJournal } from "./crafted-records.ts";

/** Two genes with names and one without, of two candidates. */
const plan: Json = { ...of("plan"), columns: 1, start: [0, 1, 0.5], inject: [] };
const ask: Json = { ...of("ask"), points: { ...points, count: 6 } };
const rowLosses = { ...noLosses, offset: 64 };
const result: Json = { ...of("result"), rowLosses, gradients: { ...rowLosses, count: 6 } };
const another: Json = { type: "budget", budget: { seconds: 60 } };

/** A sound journal up to its baselines, and these records behind them. */
async function written(records: readonly Json[]): Promise<string> {
  const folder = await temporaryFolder();
  const all = [...sound.slice(0, sound.indexOf(of("plan"))), ...records];
  writeJournal(
    folder,
    all.map((record, i) => bodyOf(record, i, i === 0 ? 0 : 112)),
    112,
  );
  return folder;
}

test("genes without names are counted in points and gradients", async () => {
  const records = [plan, ask, result, another, { ...plan, rowFraction: 0.5 }];
  const folder = await written(records);
  expect(readJournal(folder).records.slice(-records.length)).toEqual(records);
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
    [plan, another, { ...of("plan"), inject: [] }],
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
