import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { WriterLock } from "../../../src/journal/writer-lock.ts";
import { listRuns, type RunList } from "../../../src/report/runs/list-runs.ts";
import { runsText } from "../../../src/report/runs/runs-text.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { obeyed } from "../../files/hostile-text.ts";
import { type SyntheticRun, writeSyntheticRun } from "../synthetic-run.ts";

/** Writes a run, the journal of which was last written on that day of a month. */
function writeRun(results: string, name: string, day: number, until: SyntheticRun["until"] = "verdict"): void {
  const folder = join(results, name);
  writeSyntheticRun(folder, { generations: 2, population: 4, rows: 20, layers: 2, until });
  age(folder, day);
}

function age(folder: string, day: number): void {
  const at = new Date(2026, 0, day);
  utimesSync(join(folder, "journal.jsonl"), at, at);
}

function namesOf({ runs }: RunList): readonly string[] {
  return runs.map(({ name }) => name);
}

describe("a list of runs", () => {
  test("has runs alone, that written last first", async () => {
    const results = await temporaryFolder();
    writeRun(results, "old", 1);
    writeRun(results, "new", 3, "baselines");
    writeRun(results, "middle", 2, "search");
    mkdirSync(join(results, "no-run", "old"), { recursive: true });
    writeFileSync(join(results, "journal"), "");
    symlinkSync("nowhere", join(results, "link"));
    symlinkSync("link-to-itself", join(results, "link-to-itself"));
    using _ = WriterLock.acquire(join(results, "middle"));
    const list = listRuns(results);
    expect(list.runs.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "new interrupted",
      "middle running",
      "old finished",
    ]);
    expect(list.leftOut).toBe(0);
    // Numbers of processes have several lengths.
    const runs = list.runs.map((run) => ("writer" in run ? { ...run, writer: { ...run.writer, pid: 4321 } } : run));
    expect(runsText(results, { ...list, runs })).toMatchInlineSnapshot(`
      "began       state         time  scored  found             run
      ----------  ------------  ----  ------  ----------------  ---
      2026-01-02  interrupted    12s       0  loss 0.900        new
      2026-01-02  runs as 4321   14s      10  loss 0.283        middle
      2026-01-02  finished       24s      10  better by 76.7 %  old"
    `);
  });

  test("goes on behind runs that cannot be read, each of which is one line with its fault", async () => {
    const results = await temporaryFolder();
    for (const [i, name] of ["a", "b", "c", "d"].entries()) writeRun(results, name, i + 1);
    const journal = join(results, "b", "journal.jsonl");
    writeFileSync(journal, readFileSync(journal, "utf8").replace('"baselines"', '"baseline\u202E"'));
    age(join(results, "b"), 2);
    const pipe = join(results, "pipe", "journal.jsonl");
    mkdirSync(join(results, "pipe"));
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    mkdirSync(join(results, "folder", "journal.jsonl"), { recursive: true });
    const list = listRuns(results);
    expect(namesOf(list)).toHaveLength(6);
    const lines = runsText(results, list).split("\n");
    expect(lines.slice(2, 5).map((line) => line.split(" ").at(-1))).toEqual(["d", "c", "a"]);
    expect(lines.slice(6).toSorted()).toEqual([
      expect.stringMatching(/^b is unreadable: .*\/b\/journal\.jsonl: record 4 is damaged: expected a valid checksum/),
      expect.stringMatching(/^folder is unreadable: .*: expected a file, found something that is not a regular file$/),
      expect.stringMatching(/^pipe is unreadable: .*: expected a file, found something that is not a regular file$/),
    ]);
  });

  test("reads as much as is bearable, and says what it left out", async () => {
    const results = await temporaryFolder();
    for (const [i, name] of ["oldest", "older", "new"].entries()) writeRun(results, name, i + 1, "baselines");
    const bytes = readFileSync(join(results, "new", "journal.jsonl")).length;
    expect(namesOf(listRuns(results, { runs: 2, bytes: 9 * bytes }))).toEqual(["new", "older"]);
    expect(namesOf(listRuns(results, { runs: 3, bytes: 2.5 * bytes }))).toEqual(["new", "older"]);
    const list = listRuns(results, { runs: 3, bytes: bytes / 2 });
    expect([namesOf(list), list.leftOut]).toEqual([["new"], 2]);
    expect(runsText(results, list)).toMatch(/\nand 2 more, written before these, /);
  });

  test("shows any name harmless, on one line, and gives long ones room without moving others", async () => {
    const results = await temporaryFolder();
    const hostile = "\u001B[2J\u202E\n<script>";
    writeRun(results, hostile, 3);
    writeRun(results, "n".repeat(250), 2);
    writeRun(results, "short", 1, "search");
    const text = runsText(results, listRuns(results));
    expect(text).not.toMatch(obeyed);
    const lines = text.split("\n");
    expect(lines).toHaveLength(5);
    expect(lines[2]).toContain(String.raw`\u001B[2J\u202E\u000A<script>`);
    expect(lines.map((line) => line.length > 80)).toEqual([false, false, true, true, false]);
  });

  test("is empty for an empty folder, and an error for none, or for a run", async () => {
    const results = await temporaryFolder();
    expect(listRuns(results)).toEqual({ runs: [], leftOut: 0 });
    expect(runsText("results", listRuns(results))).toBe("no runs in results");
    const missing = join(results, "none");
    expect(() => listRuns(missing)).toThrow(
      new UserError(`${missing}: expected a folder of runs: no such file or directory`),
    );
    writeRun(results, "run", 1);
    expect(() => listRuns(join(results, "run"))).toThrow(
      new UserError(`${join(results, "run")} is a run itself: expected a folder of runs; status tells of one`),
    );
  });
});
