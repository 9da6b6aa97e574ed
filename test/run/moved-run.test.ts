import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { withOverrides } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { modelsOfRun } from "../../src/lm-eval/models-to-evaluate.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { recordedPaths } from "../../src/run/places.ts";
import { launchRun, readOutcome, resumeRun } from "../../src/run/run-experiment.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

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

const sentence = (what: string, path: string, option: string): string =>
  `~/results/run: ${what}: nothing is at ~/${path}; if it was moved, say where with ${option}`;

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
    expect(recorded(folder, "moved")).toEqual([]);
    const whole = join(await temporaryFolder(), "run");
    await launchRun(experiment, whole);
    expect(traces(folder).records.slice(1)).toEqual(traces(whole).records.slice(1));
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

  test("names the option that says where something is, of each kind", async () => {
    const said: string[] = [];
    for (const name of ["rows/quiz.guard.jsonl", "rows/quiz.jsonl", "craft", "base"]) {
      move(name, `${name}.away`);
      for (const open of [resumeRun, readOutcome, exportRun]) {
        said.push(await open(run).then(String, ({ message }: Error) => message.replaceAll(project, "~")));
      }
    }
    expect([...new Set(said)]).toEqual([
      sentence("guard rows of quiz", "rows/quiz.guard.jsonl", "--guard quiz=<file>"),
      sentence("rows of quiz", "rows/quiz.jsonl", "--rows quiz=<file>"),
      sentence("expert craft", "craft", "--expert craft=<folder>"),
      sentence("base", "base", "--base <folder>"),
    ]);
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
    ["another expert", () => ({ experts: { craft: join(project, "nature") } }), /tensor \S+: expected .* found/],
    ["another base", () => ({ base: join(project, "nature") }), /tensor \S+: expected .* found/],
    ["other rows", () => ({ rows: { quiz: [join(project, "rows", "other.jsonl")] } }), "rows of quiz: expected"],
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
    ["a folder that is not there", () => ({ base: join(project, "b") }), "base: nothing is at"],
  ];

  test.each(others)("refuses %s, and remembers nothing", async (...[, prepare, says]) => {
    const rows = readFileSync(join(project, "rows", "quiz.jsonl"), "utf8");
    writeFileSync(join(project, "rows", "other.jsonl"), rows.replace("search 0", "other 0"));
    const before = traces(run);
    await expect(resumeRun(run, { moved: prepare() })).rejects.toThrow(says);
    expect(traces(run)).toEqual(before);
  });
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
