import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { untimedText } from "../../../src/cli/tensorboard/event-message.ts";
import { openScalarFolder } from "../../../src/cli/tensorboard/scalar-folder.ts";
import { ScalarLog } from "../../../src/cli/tensorboard/scalar-log.ts";
import { payloadsIn } from "../../../src/cli/tensorboard/tf-record.ts";
import type { RunEvent } from "../../../src/run/session/events.ts";
import { root } from "../../source/source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyExperiment } from "../../tiny-experiment.ts";
import { evomerge } from "../evomerge.ts";

const fail = (sentence: string): void => expect.unreachable(sentence);
const generation = (number: number): RunEvent => ({
  type: "generation",
  generation: number,
  best: 1 / number,
  overall: number,
  baseline: 1,
  work: number,
  spent: 0.5,
  elapsedMs: 1,
  left: { ms: 1 },
  replayed: true,
});

/** All scalars of a folder without their times, in order. */
function scalarsIn(folder: string): string[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => payloadsIn(readFileSync(join(folder, name))).slice(1))
    .map(untimedText);
}

/** How many of these have a tag. */
const withTag = (scalars: readonly string[], tag: string): number =>
  scalars.filter((text) => text.includes(tag)).length;

/** Those of generations. */
const curves = (scalars: readonly string[]): string[] =>
  scalars.filter((text) => text.includes("loss/search") || text.includes("search/work"));

const into = (name: string): string[] => ["--tensorboard", join("run", name)];

/** Writes events as one process does that begins at a second of its own. */
async function write(folder: string, second: number, events: readonly RunEvent[]): Promise<void> {
  const opened = await openScalarFolder(join(folder, "scalars"), folder, second === 0);
  using log = new ScalarLog(opened, fail, () => second);
  for (const event of events) log.write(event);
}

describe("ScalarLog", () => {
  test("writes each scalar of a run once, whatever is told again", async () => {
    const folder = await temporaryFolder();
    await write(folder, 0, [generation(0), generation(1)]);
    await write(folder, 1, [generation(0), generation(1), generation(2)]);
    await write(folder, 2, [generation(0), generation(1), generation(2)]);
    const scalars = scalarsIn(join(folder, "scalars"));
    expect(new Set(scalars).size).toBe(scalars.length);
    expect(withTag(scalars, "loss/search")).toBe(3);
    expect(readdirSync(join(folder, "scalars"))).toHaveLength(2);
  });

  test("writes what a file lacks that a stopped machine left unfinished", async () => {
    const folder = await temporaryFolder();
    await write(folder, 0, [generation(0), generation(1)]);
    const whole = scalarsIn(join(folder, "scalars"));
    const [name = ""] = readdirSync(join(folder, "scalars"));
    const path = join(folder, "scalars", name);
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    expect(scalarsIn(join(folder, "scalars")).length).toBeLessThan(whole.length);
    await write(folder, 1, [generation(0), generation(1)]);
    expect(scalarsIn(join(folder, "scalars"))).toEqual(whole);
  });

  test("knows its folder again where it was moved with its run", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "a"));
    await write(join(folder, "a"), 0, [generation(0)]);
    renameSync(join(folder, "a"), join(folder, "b"));
    await write(join(folder, "b"), 1, [generation(0), generation(1)]);
    expect(withTag(scalarsIn(join(folder, "b", "scalars")), "loss/search")).toBe(2);
  });

  test("has a name for its file that nothing of strangers is in", async () => {
    const folder = await temporaryFolder();
    await write(folder, 0, [generation(0)]);
    expect(readdirSync(join(folder, "scalars"))).toEqual([
      expect.stringMatching(/^events\.out\.tfevents\.0{10}\.[\w-]+\.\d+\.evomerge-[\da-f]{12}$/),
    ]);
  });

  test("tells once that the disk is full, and leaves whole records", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "scalars");
    // A limit of the size of files meets a write as a full disk does: a part of it is written, then none.
    const script = `
      const { openScalarFolder } = await import("./src/cli/tensorboard/scalar-folder.ts");
      const { ScalarLog } = await import("./src/cli/tensorboard/scalar-log.ts");
      const opened = await openScalarFolder(${JSON.stringify(path)}, ${JSON.stringify(folder)}, true);
      const log = new ScalarLog(opened, (sentence) => console.log(sentence));
      const event = ${JSON.stringify(generation(1))};
      for (let i = 0; i < 100; i += 1) log.write({ ...event, generation: i });
    `;
    const told = execFileSync(
      "sh",
      ["-c", 'ulimit -f 8; exec "$0" --import tsx --input-type=module -e "$1"', process.execPath, script],
      { cwd: root, encoding: "utf8", env: { ...process.env, TSX_DISABLE_CACHE: "1" } },
    );
    expect(told).toBe(`no more scalars are written to ${path}: file too large\n`);
    const [name = ""] = readdirSync(path);
    const file = readFileSync(join(path, name));
    const payloads = payloadsIn(file);
    expect(payloads.length).toBeGreaterThan(20);
    expect(payloads.reduce((sum, { length }) => sum + length + 16, 0)).toBe(file.length);
  });

  test("tells once that its folder is gone", async () => {
    const folder = await temporaryFolder();
    const opened = await openScalarFolder(join(folder, "scalars"), folder, true);
    renameSync(opened.path, join(folder, "elsewhere"));
    const told: string[] = [];
    using log = new ScalarLog(opened, (sentence) => told.push(sentence));
    log.write(generation(0));
    log.write(generation(1));
    expect(told).toEqual([`no more scalars are written to ${opened.path}: no such file or directory`]);
  });
});

describe("openScalarFolder", () => {
  const others = "it holds those of another run; choose another folder";

  test.each(["events.out.tfevents.1.host.2.0", "mine.tfevents"])("refuses a folder with %s", async (name) => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, name), "");
    for (const isNew of [true, false])
      await expect(openScalarFolder(folder, join(folder, "run"), isNew)).rejects.toThrow(
        `cannot write scalars to ${folder}: ${others}`,
      );
  });

  test("refuses a folder of another run, and for a new run that of an earlier one in its place", async () => {
    const folder = await temporaryFolder();
    await write(folder, 0, [generation(0)]);
    const scalars = join(folder, "scalars");
    await expect(openScalarFolder(scalars, join(folder, "run"), false)).rejects.toThrow(others);
    await expect(openScalarFolder(scalars, folder, true)).rejects.toThrow(others);
  });

  test.skipIf(process.getuid?.() === 0)("refuses a folder that it may not write to", async () => {
    const folder = await temporaryFolder();
    chmodSync(folder, 0o500);
    for (const path of [folder, join(folder, "scalars")])
      await expect(openScalarFolder(path, join(folder, "run"), true)).rejects.toThrow(
        `cannot write scalars to ${path}: permission denied`,
      );
  });
});

describe("evomerge run --tensorboard", () => {
  test("writes curves and the verdict, and resume goes on without doubles, into a folder that is new to it too", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const run = ["run", "tiny.yaml", "--out", "run", ...into("scalars")];
    expect(await evomerge(folder, run)).toMatchObject({ code: 0 });
    const first = scalarsIn(join(folder, "run", "scalars"));
    for (const tag of ["loss/search", "loss/mean", "loss/best candidate", "search/work", "search/spent"])
      expect(withTag(first, tag)).toBe(2);
    for (const tag of ["guard/quiz/loss", "guard/news/loss", "baselines/uniform average/quiz"])
      expect(withTag(first, tag)).toBe(1);
    const resume = ["resume", "run", "--evaluations", "15"];
    expect(await evomerge(folder, [...resume, ...into("scalars")])).toMatchObject({ code: 0 });
    const all = scalarsIn(join(folder, "run", "scalars"));
    expect(withTag(all, "loss/search")).toBe(3);
    expect(new Set(all).size).toBe(all.length);
    expect(all.slice(0, first.length)).toEqual(first);
    expect(await evomerge(folder, ["resume", "run", ...into("later")])).toMatchObject({ code: 0 });
    expect(withTag(scalarsIn(join(folder, "run", "later")), "loss/search")).toBe(3);
    expect(curves(all)).toEqual(expect.arrayContaining(curves(scalarsIn(join(folder, "run", "later")))));
  });

  test.each([
    [join("run", "best"), "cannot write scalars to run/best: the run has a file of that name; choose another\n"],
    [
      join("run", "plots", "x"),
      "cannot write scalars to run/plots/x: the run has a file of that name; choose another\n",
    ],
    ["tiny.yaml", "cannot write scalars to tiny.yaml: file already exists\n"],
    [join("tiny.yaml", "x"), "cannot write scalars to tiny.yaml/x: not a directory\n"],
  ])("refuses %s before anything is done", async (tensorboard, says) => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const end = await evomerge(folder, ["run", "tiny.yaml", "--out", "run", "--tensorboard", tensorboard]);
    expect(end).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining(says) as string });
    expect(existsSync(join(folder, "run", "journal.jsonl"))).toBe(false);
  });
});
