import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EventLog } from "../../src/cli/event-log.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import type { LoggedEvent } from "../../src/run/session/logged-event.ts";
import { root } from "../source/source-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { evomerge } from "./evomerge.ts";

const notice = (text: string): RunEvent => ({ type: "notice", text });
const fail = (sentence: string): void => expect.unreachable(sentence);

function linesOf(path: string): LoggedEvent[] {
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as LoggedEvent);
}

describe("EventLog", () => {
  test("has each event in the file as it happens, behind those of earlier runs, and leaves no lock", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "events.jsonl");
    for (const text of ["first", "second"]) {
      using log = await EventLog.open(path, fail);
      log.write(notice(text), 1500);
      expect(linesOf(path).at(-1)).toMatchObject({ elapsed: 1.5, type: "notice", text });
    }
    expect(linesOf(path)).toHaveLength(2);
    expect(readdirSync(folder)).toEqual(["events.jsonl"]);
  });

  test("writes names of strangers as JSON strings that no terminal obeys", async () => {
    const path = join(await temporaryFolder(), "events.jsonl");
    using log = await EventLog.open(path, fail);
    const text = '\u001B[2J"\n{"time":1}<script>\u202E';
    log.write(notice(text));
    expect(readFileSync(path, "utf8")).toContain(String.raw`"text":"\u001b[2J\"\n{\"time\":1}<script>\u202E"`);
    expect(linesOf(path)).toMatchObject([{ text }]);
  });

  test("writes of what moves the beginning, the end, and a line a second", async () => {
    const path = join(await temporaryFolder(), "events.jsonl");
    const clock = new VirtualClock();
    using log = await EventLog.open(path, fail, clock);
    for (let percent = 0; percent <= 100; percent += 1) {
      log.write({ type: "progress", phase: "search", share: percent / 100 });
      clock.pass(30);
    }
    log.write({ type: "progress", phase: "guard", share: 0 });
    log.write({ type: "fetching", doneBytes: 0, totalBytes: 0 });
    log.write({ type: "fetching", doneBytes: 0, totalBytes: 10 });
    const told = linesOf(path).map((line) => (line.type === "progress" ? [line.phase, line.share] : line.type));
    const search = [0, 0.34, 0.68, 1].map((share) => ["search", share]);
    expect(told).toEqual([...search, ["guard", 0], "fetching"]);
  });

  test("is held by one at a time, by whatever name, and is no matter of other files beside it", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "events.jsonl");
    using log = await EventLog.open(path, fail);
    log.write(notice("x"));
    symlinkSync(path, join(folder, "link"));
    for (const name of ["events.jsonl", "link"])
      await expect(EventLog.open(join(folder, name), fail)).rejects.toThrow(
        `${join(folder, name)} is in use by process ${process.pid} on `,
      );
    using other = await EventLog.open(join(folder, "events.jsonl-2"), fail);
    other.write(notice("y"));
  });

  test.each<[string, (path: string) => void, string]>([
    ["a folder", (path) => mkdirSync(path), "it is not a regular file; choose another name"],
    ["a pipe", (path) => execFileSync("mkfifo", [path]), "it is not a regular file; choose another name"],
    ["a link to a device", (path) => symlinkSync("/dev/null", path), "it is not a regular file; choose another name"],
    ["notes", (path) => writeFileSync(path, "mine"), "it is there and holds no events; choose another name"],
    [
      "a journal",
      (path) => writeFileSync(path, '{"sequence":0'),
      "it is there and holds no events; choose another name",
    ],
  ])("refuses %s and leaves it as it is", async (_, arrange, why) => {
    const folder = await temporaryFolder();
    const path = join(folder, "events");
    arrange(path);
    await expect(EventLog.open(path, fail)).rejects.toThrow(`cannot write ${path}: ${why}`);
    expect(readdirSync(folder)).toEqual(["events"]);
    if (why.includes("holds")) expect(readFileSync(path, "utf8")).toMatch(/^(mine|\{"sequence":0)$/);
  });

  test("refuses what is in no folder", async () => {
    const path = join(await temporaryFolder(), "none", "events");
    await expect(EventLog.open(path, fail)).rejects.toThrow(`cannot write ${path}: no such file or directory`);
  });

  test.skipIf(process.getuid?.() === 0)("refuses a folder that it may not write to", async () => {
    const folder = await temporaryFolder();
    chmodSync(folder, 0o500);
    const path = join(folder, "events");
    await expect(EventLog.open(path, fail)).rejects.toThrow(`cannot write ${path}: permission denied`);
  });

  test("begins a line of its own behind one that a stopped machine left unfinished", async () => {
    const path = join(await temporaryFolder(), "events.jsonl");
    {
      using log = await EventLog.open(path, fail);
      log.write(notice("x"));
    }
    appendFileSync(path, '{"time":"20');
    using log = await EventLog.open(path, fail);
    log.write(notice("y"));
    const lines = readFileSync(path, "utf8").split("\n");
    expect(lines.map((line) => line.slice(0, 9))).toEqual(['{"time":"', '{"time":"', '{"time":"', ""]);
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ text: "y" });
  });

  test("tells once that the disk is full, and leaves whole lines", async () => {
    const path = join(await temporaryFolder(), "events.jsonl");
    // A limit of the size of files meets a write as a full disk does: a part of it is written, then none.
    const script = `
      const { EventLog } = await import("./src/cli/event-log.ts");
      const log = await EventLog.open(${JSON.stringify(path)}, (sentence) => console.log(sentence));
      for (let i = 0; i < 100; i += 1) log.write({ type: "notice", text: "x".repeat(200) });
    `;
    const told = execFileSync(
      "sh",
      ["-c", 'ulimit -f 8; exec "$0" --import tsx --input-type=module -e "$1"', process.execPath, script],
      {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, TSX_DISABLE_CACHE: "1" },
      },
    );
    expect(told).toBe(`no more events are written to ${path}: file too large\n`);
    expect(linesOf(path).length).toBeGreaterThan(5);
  });
});

describe("evomerge run --events", () => {
  test("writes what happens into the run's own folder, and resume goes on behind it", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const path = join(folder, "run", "events.jsonl");
    const events = ["--events", join("run", "events.jsonl")];
    expect(await evomerge(folder, ["run", "tiny.yaml", "--out", "run", "--export", ...events])).toMatchObject({
      code: 0,
    });
    const first = linesOf(path);
    const steps = first.map(({ type }) => type).filter((type) => type !== "progress" && type !== "notice");
    const course = ["opened", "forecast", "baselines", "planned", "generation", "generation"];
    expect(steps).toEqual([...course, "finalists", "verdict", "exported", "ended"]);
    expect(first.at(-1)).toMatchObject({
      type: "ended",
      state: "finished",
      winner: first.flatMap((line) => (line.type === "finalists" ? [line.winner] : []))[0],
      seconds: expect.any(Number) as number,
    });
    const elapsed = first.flatMap((line) => (line.elapsed === undefined ? [] : [line.elapsed]));
    expect(elapsed.length).toBeGreaterThan(steps.length);
    expect(elapsed).toEqual(elapsed.toSorted((a, b) => a - b));
    expect(await evomerge(folder, ["resume", "run", "--evaluations", "15", ...events])).toMatchObject({ code: 0 });
    const all = linesOf(path);
    expect(all.slice(0, first.length)).toEqual(first);
    const resumed = all.slice(first.length);
    expect(resumed[0]).toMatchObject({ type: "opened", resumed: true });
    const generations = resumed.flatMap((line) => (line.type === "generation" ? [line] : []));
    expect(generations.map(({ replayed }) => replayed)).toEqual([true, true, false]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "writes by %s that the run is interrupted, as the last line",
    async (signal) => {
      const folder = await temporaryFolder();
      await writeTinyExperiment(folder, { file: { budget: { evaluations: 100_000 } } });
      const { code } = await evomerge(folder, ["run", "tiny.yaml", "--out", "run", "--events", "events.jsonl"], {
        watch: (child) => void child.stderr.once("data", () => child.kill(signal)),
      });
      expect(code).toBe(130);
      const last = linesOf(join(folder, "events.jsonl")).at(-1);
      const { time, seconds, ...end } = last as Extract<LoggedEvent, { type: "ended" }>;
      expect(end).toEqual({ type: "ended", state: "interrupted" });
      expect([Number.isNaN(Date.parse(time)), Number(seconds) > 0]).toEqual([false, true]);
    },
  );

  test("writes why it failed, in the words that are printed, as the last line", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const path = join("run", "events.jsonl");
    mkdirSync(join(folder, "run", "best"), { recursive: true });
    writeFileSync(join(folder, "run", "best", "notes"), "mine");
    const args = ["run", "tiny.yaml", "--out", "run", "--events", path, "--export"];
    const { code, stderr } = await evomerge(folder, args);
    const last = linesOf(join(folder, path)).at(-1) as Extract<LoggedEvent, { type: "failed" }>;
    expect([code, last.type]).toEqual([1, "failed"]);
    expect(stderr).toContain(`evomerge: ${last.sentence}\n`);
  });

  test.each([
    [join("run", "journal.jsonl"), 1, "cannot write events to run/journal.jsonl: the run has a file of that name"],
    ["tiny.yaml", 1, "cannot write tiny.yaml: it is there and holds no events; choose another name\n"],
    [join("tiny.yaml", "x"), 1, "cannot write tiny.yaml/x: no folder can be made for it: file already exists\n"],
    ["-", 2, "expected a file\n"],
  ])("refuses %s before anything is done", async (events, code, says) => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const before = readFileSync(join(folder, "tiny.yaml"), "utf8");
    const end = await evomerge(folder, ["run", "tiny.yaml", "--out", "run", "--events", events]);
    expect(end).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(says) as string });
    expect(readFileSync(join(folder, "tiny.yaml"), "utf8")).toBe(before);
    expect(existsSync(join(folder, "run", "journal.jsonl"))).toBe(false);
  });
});
