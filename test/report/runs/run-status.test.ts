import { spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { currentProcess } from "../../../src/files/process-identity.ts";
import { Journal, readJournal } from "../../../src/journal/journal.ts";
import { WriterLock } from "../../../src/journal/writer-lock.ts";
import { readRunStatus, statusOf } from "../../../src/report/runs/run-status.ts";
import { statusFacts, statusText } from "../../../src/report/runs/status-text.ts";
import { installedCommand } from "../../../src/report/next-steps.ts";
import { ShortNames } from "../../../src/report/view/short-text.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type SyntheticRun, writeSyntheticRun } from "../synthetic-run.ts";

/** A folder with a run of three generations of five, up to a phase. */
async function runUntil(until: SyntheticRun["until"], names: Partial<SyntheticRun> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  writeSyntheticRun(folder, { generations: 3, population: 4, rows: 20, layers: 2, ...names, ...(until && { until }) });
  return folder;
}

/** Everything in a folder. */
function contentOf(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => `${name}: ${readFileSync(join(folder, name), "hex")}`);
}

describe("the status of a run", () => {
  test.each([
    [
      "baselines",
      "interrupted",
      "baselines",
      0,
      { name: "global weight 0.8", loss: expect.closeTo(0.9), isCandidate: false },
    ],
    ["search", "interrupted", "search", 15, { name: "evolved merge", isCandidate: true }],
    [
      "finalists",
      "unjudged",
      "finalists",
      15,
      { name: "evolved merge", loss: expect.closeTo(0.21), isCandidate: false },
    ],
    [
      "verdict",
      "finished",
      "guard rows",
      15,
      { name: "evolved merge", loss: expect.closeTo(0.21), isCandidate: false },
    ],
  ] as const)("that ended after its %s", async (until, state, phase, evaluations, best) => {
    const folder = await runUntil(until);
    const { status } = readRunStatus(folder);
    expect(status).toMatchObject({ name: "run", state, phase, evaluations, best, began: "2026-01-02T03:04:05.000Z" });
    expect(status.found).toEqual(
      until === "verdict" ? { over: "global weight 0.8", judgement: "better", amount: "by 76.7 %" } : undefined,
    );
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  test("is of the best candidate, failed ones left out", async () => {
    const { status, records } = readRunStatus(await runUntil("search"));
    const losses = records.flatMap((record) => (record.type === "result" ? record.losses : []));
    expect(losses.some(Number.isNaN)).toBe(true);
    expect(status.best?.loss).toBe(Math.min(...losses.filter((loss) => !Number.isNaN(loss))));
  });

  test("is that of the last budget, which a finished run goes on with", async () => {
    const folder = await runUntil("verdict");
    const ended = readRunStatus(folder).status;
    expect([ended.budget, ended.share]).toEqual([undefined, undefined]);
    for (const [budget, share] of [
      [{ seconds: 49.02 }, 0.5],
      [{ evaluations: 60 }, 0.25],
    ] as const) {
      {
        using journal = Journal.open(folder);
        journal.append({ type: "budget", budget });
      }
      expect(readRunStatus(folder).status).toMatchObject({ state: "interrupted", budget, share });
    }
  });

  test("is read while the run goes on, from whole records, and changes nothing", async () => {
    const folder = await runUntil("search");
    using journal = Journal.open(folder);
    appendFileSync(join(folder, "journal.jsonl"), '{"sequence":9,"numb');
    const before = contentOf(folder);
    const { status, records } = readRunStatus(folder);
    expect(status).toMatchObject({ state: "running", phase: "search", generations: 3 });
    expect(status.writer).toMatchObject({ pid: process.pid, isSeen: true });
    expect(records).toEqual(journal.records);
    expect(contentOf(folder)).toEqual(before);
  });

  test("tells a lock of a process that ended from one that cannot be seen, and leaves both", async () => {
    const folder = await runUntil("search");
    const lock = join(folder, "writer-1-x.lock");
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(lock, JSON.stringify({ ...currentProcess(), pid }));
    const before = contentOf(folder);
    expect(readRunStatus(folder).status.state).toBe("interrupted");
    expect(contentOf(folder)).toEqual(before);
    writeFileSync(lock, JSON.stringify({ pid: 7, host: "elsewhere\u001B[2J" }));
    const { status, records } = readRunStatus(folder);
    expect(status).toMatchObject({ state: "held", writer: { pid: 7, isSeen: false } });
    const [first] = statusText(status, records, installedCommand).split("\n");
    expect(first).toBe(
      `run: in use by process 7 on elsewhere\\u001B[2J, which cannot be seen from here; if it has ended, delete ${lock}`,
    );
    expect(readdirSync(folder)).toContain("writer-1-x.lock");
  });

  test("is an error of one sentence where there is no run", async () => {
    const folder = await temporaryFolder();
    for (const path of [folder, join(folder, "none")]) {
      expect(() => readRunStatus(path)).toThrow(
        new UserError(`${path} holds no run: expected the file journal.jsonl in it`),
      );
    }
  });
});

describe("what is said of a run", () => {
  test("is short, and ends with what comes next", async () => {
    const folder = await runUntil("search");
    const { status, records } = readRunStatus(folder);
    const text = statusText({ ...status, best: { ...status.best!, loss: 0.25 } }, records, (command) => `e ${command}`);
    expect(text).toMatchInlineSnapshot(`
      "run: interrupted, and can be resumed
      began      2026-01-02 03:04 UTC
      time       15 s up to the last step
      last step  search
      search     3 generations, 15 evaluations
      best       evolved merge, combined loss 0.250 on the rows of its generation

      baseline           combined loss
      -----------------  -------------
      base                       1.300
      nature                     1.220
      craft                      1.140
      news                       1.060
      uniform average            0.980
      global weight 0.8          0.900

      e resume  # go on
      e export  # write the best so far as a Hugging Face folder
      e report  # make its page as it is now"
    `);
  });

  test.each([
    ["finalists", ["resume", "export", "evaluate", "report"]],
    ["verdict", ["export", "evaluate", "report"]],
  ] as const)("after its %s leads on with %j", async (until, steps) => {
    const { status, records } = readRunStatus(await runUntil(until));
    const lines = statusText(status, records, (command) => `e ${command}`).split("\n");
    expect(lines.flatMap((line) => /^e (\w+)/.exec(line)?.[1] ?? [])).toEqual(steps);
  });

  test("while it goes on is no word of going on with it", async () => {
    const folder = await runUntil("search");
    using _ = WriterLock.acquire(folder);
    const { status, records } = readRunStatus(folder);
    const text = statusText(status, records, (command) => `e ${command}`);
    expect(text).toMatch(/^run: going on, as process \d+ on /);
    expect(text).not.toContain("e resume");
  });

  test("fits 80 columns, however experts are called", async () => {
    const experts = ["craft".repeat(800), "craft".repeat(801), "\u001B[2J\u202E<script>"];
    const { status, records } = readRunStatus(await runUntil("verdict", { experts }));
    const text = statusText(status, records, (command) => `e ${command}`);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(text).toContain(String.raw`\u001B[2J\u202E<script>`);
    expect(text).toContain("… (2) ");
  });
});

function scores(quiz: number, news: number): object {
  return { quiz: { loss: quiz }, news: { loss: news } };
}

test("a member of a front is told with how many it stands for", async () => {
  const folder = await runUntil("verdict");
  const { records } = readJournal(folder);
  const front = [
    { of: "survivor 1", scores: scores(1, 3), loss: 2 },
    { of: "survivor 2", scores: scores(1.5, 1.5), loss: 1.5, alike: ["survivor 4", "survivor 5"] },
    { of: "survivor 3", scores: scores(3, 1), loss: 2 },
  ];
  const lines = records.map((record) => (record.type === "finalists" ? { ...record, front } : record));
  const status = statusOf(folder, lines as typeof records);
  expect(status.front?.picks.map(({ place, alike }) => [place, alike])).toEqual([
    [2, 2],
    [1, 0],
    [3, 0],
  ]);
  expect(new Map(statusFacts(status, new ShortNames())).get("front")).toBe(
    "3 merges: 2 is the knee (alike: 2), 1 is best on quiz, 3 is best on news",
  );
});
