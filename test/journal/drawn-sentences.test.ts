import { expect, test } from "vitest";
import { drawnSentences } from "../../src/journal/drawn-sentences.ts";
import type { JournalRecord } from "../../src/journal/records.ts";
import { runReport } from "../../src/report/run-report.ts";

const start: JournalRecord = { type: "start", format: 1, folder: "/run", experiment: {}, identity: {}, versions: {} };
const drawn = { quiz: { search: 138, guard: 59 } };
const outOf = { quiz: { search: 42_000, guard: 18_000 } };

test("a run on a part of its rows says of how many, in its report too", () => {
  const said =
    "All is on a part of the rows, as many as the first budget had time to tokenise: 138 of 42000 search rows and 59 of 18000 guard rows of quiz.";
  expect(drawnSentences([{ ...start, drawn, outOf }])).toEqual([said]);
  expect(runReport("run", [{ ...start, drawn, outOf }], [])).toContain(`- ${said}`);
  expect(drawnSentences([start])).toEqual([]);
});

test("a run that did not record how many rows there were says how many it uses", () => {
  expect(drawnSentences([{ ...start, drawn }])[0]).toMatch(/: 138 search rows and 59 guard rows of quiz\.$/);
});
