import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { withOverrides } from "../../src/experiment/experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { modelsOfRun } from "../../src/lm-eval/models-to-evaluate.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord } from "../../src/journal/records.ts";
import { recordedPaths } from "../../src/run/recorded/places.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, tokenizer, traces } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

/** A project with models, rows and a run in it, that was interrupted. */
let project = "";
let run = "";
beforeEach(async () => {
  project = join(await temporaryFolder(), "project");
  run = join(project, "results", "run");
  await interrupt(await tinyExperiment(project), run, ({ type }) => type === "generation");
});

/** Moves a folder or a file of the project. */
function move(from: string, to: string): string {
  renameSync(join(project, from), join(project, to));
  return join(project, to);
}

/** What work is refused with; ~ stands for the project. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const message = await work.then(String, (error: Error) => error.message);
  return message.replaceAll(project, "~").replaceAll(/\b[0-9a-f]{12}\b/g, "#");
}

describe("a run", () => {
  test("goes on, is exported and evaluated when the whole project is moved", async () => {
    const moved = join(await temporaryFolder(), "elsewhere");
    renameSync(project, moved);
    const folder = join(moved, "results", "run");
    const { experiment, verdict } = await resumeRun(folder);
    expect(experiment.base).toBe(join(moved, "base"));
    expect((await exportRun(folder)).weightsDigest).toBe(verdict!.weightsDigest);
    const models = await modelsOfRun(folder, undefined, async (model) => model);
    expect(models.map((model) => model.folder)).toEqual(
      ["base", "nature", "craft", "results/run/best"].map((name) => join(moved, name)),
    );
    expect(recorded(folder, "moved")).toEqual([{ type: "moved", folder }]);
    const whole = join(await temporaryFolder(), "run");
    await launchRun(experiment, whole);
    const steps = traces(folder).records.filter((record) => (record as JournalRecord).type !== "moved");
    expect(steps.slice(1)).toEqual(traces(whole).records.slice(1));
  });

  test("goes on where it is copied, with the copies, though the originals are there", async () => {
    const copy = join(await temporaryFolder(), "copy");
    cpSync(project, copy, { recursive: true });
    const { experiment } = await resumeRun(join(copy, "results", "run"));
    expect(experiment.experts.map(({ path }) => path)).toEqual([join(copy, "nature"), join(copy, "craft")]);
  });

  test("goes on when its own folder is moved alone", async () => {
    const folder = join(await temporaryFolder(), "run");
    renameSync(run, folder);
    expect((await resumeRun(folder)).experiment.base).toBe(join(project, "base"));
  });

  test("goes on after two moves, each time where something was", async () => {
    const second = join(await temporaryFolder(), "second");
    renameSync(project, second);
    await resumeRun(join(second, "results", "run"));
    const alone = join(await temporaryFolder(), "r");
    renameSync(join(second, "results", "run"), alone);
    expect((await resumeRun(alone)).experiment.base).toBe(join(second, "base"));
    expect(recorded(alone, "moved")).toHaveLength(1);
  });

  test("finds what was told to be elsewhere and is in its old place again", async () => {
    const told = move("craft", "c");
    await resumeRun(run, { moved: { experts: { craft: told } } });
    move("c", "craft");
    expect((await resumeRun(run)).experiment.experts[1]!.path).toBe(join(project, "craft"));
  });

  test("is found by its real path where it began behind a link", async () => {
    const folder = await temporaryFolder();
    const link = join(folder, "link");
    const real = join(folder, "home", "project");
    const experiment = await tinyExperiment(real);
    mkdirSync(join(real, "results"));
    symlinkSync(join(real, "results"), link);
    await interrupt(experiment, join(link, "run"), ({ type }) => type === "generation");
    expect(recorded(join(link, "run"), "start")[0]).toMatchObject({
      folder: join(real, "results", "run"),
      experiment: { base: "../../base" },
    });
    const moved = join(folder, "home", "other");
    renameSync(real, moved);
    expect((await resumeRun(join(moved, "results", "run"))).experiment.base).toBe(join(moved, "base"));
  });

  test("names all that is not there and the options that say where it is", async () => {
    for (const name of ["rows/quiz.guard.jsonl", "rows/quiz.jsonl", "craft", "base"]) move(name, `${name}.away`);
    for (const open of [resumeRun, readOutcome, exportRun]) {
      expect(await refusal(open(run))).toBe(
        "~/results/run: nothing is at ~/base (base), ~/craft (expert craft), ~/rows/quiz.jsonl (rows of quiz), " +
          "~/rows/quiz.guard.jsonl (guard rows of quiz); if they were moved, say where with " +
          "--base <folder> --expert craft=<folder> --rows quiz=<file> --guard quiz=<file>",
      );
    }
    for (const name of ["rows/quiz.guard.jsonl", "rows/quiz.jsonl", "craft"]) move(`${name}.away`, name);
    expect(await refusal(resumeRun(run))).toBe(
      "~/results/run: nothing is at ~/base (base); if it was moved, say where with --base <folder>",
    );
  });

  test("is told once where they are", async () => {
    const moved = {
      base: move("base", "b"),
      experts: { craft: move("craft", "c") },
      rows: { quiz: [move("rows/quiz.jsonl", "q.jsonl")] },
      guard: { quiz: [move("rows/quiz.guard.jsonl", "g.jsonl")] },
    };
    const outcome = await resumeRun(run, { moved });
    expect(recorded(run, "moved")).toEqual([
      {
        type: "moved",
        folder: run,
        base: "../../b",
        experts: { craft: "../../c" },
        rows: { quiz: ["../../q.jsonl"] },
        guard: { quiz: ["../../g.jsonl"] },
      },
    ]);
    expect(await resumeRun(run, { moved })).toEqual(outcome);
    expect((await exportRun(run)).weightsDigest).toBe(outcome.verdict!.weightsDigest);
    expect(recorded(run, "moved")).toHaveLength(1);
    // The new places move with the project too.
    const there = join(await temporaryFolder(), "there");
    renameSync(project, there);
    expect((await resumeRun(join(there, "results", "run"))).experiment.base).toBe(join(there, "b"));
  });

  test("is told by an export too", async () => {
    await resumeRun(run);
    const { experiment } = await exportRun(run, { moved: { experts: { craft: move("craft", "c") } } });
    expect(experiment.experts[1]!.path).toBe(join(project, "c"));
    expect(readJournal(run).records.at(-1)).toMatchObject({ type: "moved" });
  });

  const others: readonly (readonly [what: string, prepare: () => object, says: string | RegExp])[] = [
    [
      "another expert",
      () => ({ experts: { craft: join(project, "nature") } }),
      /nature: not the expert craft that the run began with \(another tensor \S+, it is expert nature\); say where that is with --expert craft=<folder>, perhaps --expert craft=\S+craft$/,
    ],
    [
      "experts that are swapped",
      () => ({ experts: { craft: join(project, "nature"), nature: join(project, "craft") } }),
      /craft: not the expert nature that the run began with \(another tensor \S+, it is expert craft\)/,
    ],
    [
      "another base",
      () => ({ base: join(project, "nature") }),
      /nature: not the base that the run began with \(another tensor \S+, it is expert nature\); say where that is with --base <folder>/,
    ],
    [
      "a base of another shape",
      () => ({ base: join(project, "wide") }),
      /wide: not the base that the run began with \(another tensor \S+\); say where that is with --base <folder>/,
    ],
    [
      "other rows",
      () => ({ rows: { quiz: [join(project, "rows", "other.jsonl")] } }),
      /other.jsonl: not the rows of quiz that the run began with \(rows of quiz: expected .*\); say where that is with --rows quiz=<file>/,
    ],
    [
      "an expert that it does not have",
      () => ({ experts: { tom: project } }),
      'the run has no expert "tom"; expected nature, craft',
    ],
    [
      "a task that it does not have",
      () => ({ rows: { tom: [project] } }),
      'the run has no task "tom"; expected quiz, news',
    ],
    ["a folder that is not there", () => ({ base: join(project, "b") }), /nothing is at \S+b \(base\)/],
  ];

  test.each(others)("refuses %s, and remembers nothing", async (...[, prepare, says]) => {
    const rows = readFileSync(join(project, "rows", "quiz.jsonl"), "utf8");
    writeFileSync(join(project, "rows", "other.jsonl"), rows.replace("search 0", "other 0"));
    await writeTinyModel(join(project, "wide"), { tokenizer, hidden: 64 });
    const before = traces(run);
    await expect(resumeRun(run, { moved: prepare() })).rejects.toThrow(says);
    expect(traces(run)).toEqual(before);
  });
});

describe("a run that is moved to where other things have the names of its own", () => {
  let elsewhere = "";
  let folder = "";
  beforeEach(async () => {
    elsewhere = await temporaryFolder();
    folder = join(elsewhere, "results", "run");
    mkdirSync(join(elsewhere, "results"));
    cpSync(run, folder, { recursive: true });
  });

  test("says that a model is not the one that it began with, and where that is", async () => {
    cpSync(join(project, "nature"), join(elsewhere, "base"), { recursive: true });
    const says =
      /base: not the base that the run began with \(another tensor \S+, it is expert nature\); say where that is with --base <folder>, perhaps --base (\S+)$/;
    for (const open of [resumeRun, exportRun]) await expect(open(folder)).rejects.toThrow(says);
    expect(recorded(folder, "moved")).toEqual([]);
    const said = await refusal(resumeRun(folder));
    expect(says.exec(said)?.[1]).toBe("~/base");
    expect((await resumeRun(folder, { moved: { base: join(project, "base") } })).experiment.base).toBe(
      join(project, "base"),
    );
    expect((await resumeRun(folder)).experiment.base).toBe(join(project, "base"));
  });

  test("says that rows are not those that it began with, and where those are", async () => {
    mkdirSync(join(elsewhere, "rows"));
    writeFileSync(join(elsewhere, "rows", "quiz.jsonl"), readFileSync(join(project, "rows", "news.jsonl"), "utf8"));
    expect((await refusal(resumeRun(folder))).replaceAll(elsewhere, "@")).toBe(
      "@/results/run: @/rows/quiz.jsonl: not the rows of quiz that the run began with (rows of quiz: expected # as when the run began, found #); " +
        "say where that is with --rows quiz=<file>, perhaps --rows quiz=~/rows/quiz.jsonl",
    );
  });
});

test("rows that were changed in their place are named", async () => {
  const path = join(project, "rows", "quiz.jsonl");
  writeFileSync(path, readFileSync(path, "utf8").replace("search 0", "other 0"));
  expect(await refusal(resumeRun(run))).toBe(
    "~/results/run: rows of quiz: expected # as when the run began, found # in ~/rows/quiz.jsonl, ~/rows/quiz.guard.jsonl; restore what was changed, or start a new run",
  );
});

test("paths are recorded relative to the run, unless they share only the root with it", async () => {
  const experiment = withOverrides(await tinyExperiment(await temporaryFolder()), {});
  const at = (path: string, base: string): string => recordedPaths(path, { ...experiment, base }).base;
  expect(at("/data/runs/one", "/data/models/base")).toBe("../../models/base");
  expect(at("/data/runs/one", "/models/base")).toBe("/models/base");
  expect(at("/data/runs/one", "/data/runs/one/base")).toBe("./base");
  expect(at("/data/runs/one", "org/name@main")).toBe("org/name@main");
  mkdirSync(join(run, "org"), { recursive: true });
  expect(at(run, join(run, "org", "name"))).toBe("./org/name");
});
