import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { RUN_NAMES } from "../../src/journal/run-files.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import type { Outcome } from "../../src/run/carry-on.ts";
import type { ExportResult } from "../../src/export/export-run.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces, writeRows, writeTinyExperiment } from "../tiny-experiment.ts";
import { type Ended, evomerge, pasted, shownCommand } from "./evomerge.ts";

/** A folder with a tiny experiment, in which the commands run. */
const folder = mkdtempSync(join(tmpdir(), "evomerge-"));
beforeAll(() => writeTinyExperiment(folder));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Numbers and hashes that depend on the machine, masked. */
function masked(text: string): string {
  return text
    .replaceAll(folder, "~")
    .replaceAll(/[0-9a-f]{64}/g, "#")
    .replaceAll(/[+-]?\d+\.\d+/g, "#")
    .replaceAll(/\b\d+ %/g, "# %")
    .replaceAll(/-{3,}/g, "---")
    .replaceAll(/ +/g, " ")
    .replace(/expected: .*/, "expected: ...")
    .replace(/engine: .*/, "engine: ...");
}

describe("evomerge run", () => {
  let ended: Ended;
  beforeAll(async () => {
    ended = await evomerge(folder, ["run", "tiny.yaml", "--export"]);
  });

  test("prints the verdict and where the model is on standard output, and ends with 0", () => {
    expect(ended.code).toBe(0);
    expect(masked(ended.stdout)).toMatchInlineSnapshot(`
      "guard rows, which the search never saw (loss with # % interval; combined: 1 is the uniform average on the search rows)
      model combined winner's gain p (Holm) winner is quiz loss quiz accuracy news loss
      --- --- --- --- --- --- --- ---
      base # # [#, #] # neither # [#, #] # # [#, #]
      nature # # [#, #] # neither # [#, #] # # [#, #]
      craft # # [#, #] # neither # [#, #] # # [#, #]
      uniform average # # [#, #] # neither # [#, #] # # [#, #]
      global weight # # # [#, #] # neither # [#, #] # # [#, #]
      evolved merge # # [#, #] # # [#, #]

      The winner is neither significantly better nor worse than base on the tasks combined.
      The winner is neither significantly better nor worse than nature on the tasks combined.
      The winner is neither significantly better nor worse than craft on the tasks combined.
      The winner is neither significantly better nor worse than uniform average on the tasks combined.
      The winner is neither significantly better nor worse than global weight # on the tasks combined.
      The guard rows tell as much as few groups of equal size (8 of quiz, 6 of news): with fewer than 30, intervals and p-values are rough.
      The winner's combined loss was # on the search rows and is # on the guard rows.

      exported evolved merge to ~/results/tiny/best
      weights, scored on the guard rows, read back and scored again: sha256 #
      evaluate it with: lm_eval --model hf --model_args pretrained=~/results/tiny/best --tasks mmlu --batch_size 8
      report: ~/results/tiny/report.html
      "
    `);
  });

  test("tells of its course on standard error, in plain lines when that is no terminal", () => {
    expect(masked(ended.stderr)).toMatchInlineSnapshot(`
      "run results/tiny
      engine: ...
      search space: 8 genes: weight of 2 experts x (attention 2, mlp+norm+embedding 2)
      rows: quiz 16 to search on, 8 on guard; news 8 to search on, 6 on guard
      expected: ...
      baselines, losses on the search rows (combined: 1 is the uniform average)
       model combined quiz right news rows
       --- --- --- --- --- ---
       base # # # % # 24
       nature # # # % # 24
       craft # # # % # 24
       uniform average # # # % # 24
       global weight # # # # % # 24
       global weight # # # # % # 16
       global weight # # # # % # 16
       global weight # # # # % # 16
       global weight # # # # % # 16
       global weight 1 # # # % # 24
       global weight # # # # % # 24
      those on fewer rows were behind on these, and met no more
      search: cma-es from global weight #; a generation is 4 candidates and the mean, on # % of the rows
      loss: the best baseline's -> the search's, by the rows that it met lately
      finalists, losses on the search rows
       model combined quiz right news
       --- --- --- --- ---
       last mean # # # % #
       mean of the last 2 # # # % #
      winner: evolved merge
      "
    `);
    expect(ended.stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test("leaves journal, tables and model in results/<name>", () => {
    expect(readdirSync(join(folder, "results", "tiny")).toSorted()).toEqual([
      "best",
      "evaluations.csv",
      "generations.csv",
      "journal.jsonl",
      "numbers.bin",
      "plots",
      "report.html",
      "report.md",
    ]);
  });

  test("writes nothing into a folder in which one of its names is another's", async () => {
    const mine = await temporaryFolder();
    writeFileSync(join(mine, "report.md"), "mine");
    const refused = await evomerge(folder, ["run", "tiny.yaml", "--out", mine]);
    expect(refused).toEqual({
      code: 1,
      stdout: "",
      stderr: `evomerge: ${join(mine, "report.md")} belongs to no run here and would be replaced; move it or choose another folder\n`,
    });
    expect(readdirSync(mine)).toEqual(["report.md"]);
    expect(readFileSync(join(mine, "report.md"), "utf8")).toBe("mine");
    expect(RUN_NAMES).toEqual(expect.arrayContaining(readdirSync(join(folder, "results", "tiny"))));
  });

  test("does not go on with a run whose winner it could not export", async () => {
    const run = join(await temporaryFolder(), "begun");
    const experiment = await loadExperiment(join(folder, "tiny.yaml"));
    await interrupt(experiment, run, ({ type }) => type === "planned");
    mkdirSync(join(run, "best"));
    writeFileSync(join(run, "best", "thesis.txt"), "mine");
    const before = traces(run);
    expect(await evomerge(folder, ["resume", run, "--export"])).toEqual({
      code: 1,
      stdout: "",
      stderr: `evomerge: ${join(run, "best")}: holds thesis.txt, which no export wrote; expected a new folder or an earlier export\n`,
    });
    expect(traces(run)).toEqual(before);
    expect(readdirSync(join(run, "best"))).toEqual(["thesis.txt"]);
  });

  test("takes a folder, a seed and a budget, and prints JSON alone", async () => {
    const args = ["run", "tiny.yaml", "--out", "other", "--seed", "7", "--evaluations", "5", "--json"];
    const { code, stdout, stderr } = await evomerge(folder, args);
    expect(code).toBe(0);
    const outcome = JSON.parse(stdout) as Outcome;
    expect(outcome.folder).toBe(join(folder, "other"));
    expect(outcome.experiment).toMatchObject({ seed: 7, budget: { evaluations: 5 } });
    expect(outcome.verdict?.models).toHaveLength(6);
    expect(outcome.generations).toBe(1);
    expect(stderr).toContain("winner: ");
  });
});

describe("tables that cannot be written", () => {
  test("keep no run from its verdict and its export, nor an interruption from ending with 130", async () => {
    const run = join(await temporaryFolder(), "run");
    const ended = await evomerge(folder, ["run", "tiny.yaml", "--evaluations", "60", "--out", run], {
      watch: (child) =>
        child.stderr.on("data", (chunk: Buffer) => {
          if (!/ [2-9] generations /.test(chunk.toString())) return;
          mkdirSync(join(run, "report.md"), { recursive: true });
          child.kill("SIGINT");
        }),
    });
    const note = `note: tables were not written: cannot write ${join(run, "report.md")}: illegal operation on a directory\n`;
    expect(ended).toMatchObject({ code: 130, stdout: "" });
    expect(ended.stderr).toContain(`${note}interrupted; go on with: ${shownCommand} resume `);
    const { code, stdout, stderr } = await evomerge(folder, ["resume", run, "--export"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(note) as string });
    expect(stdout).toMatch(/winner is .*\n[^]*\nexported /);
  });
});

describe("evomerge export", () => {
  test("prints where the model is and how to evaluate it", async () => {
    const { code, stdout, stderr } = await evomerge(folder, ["export", "results/tiny", "--to", "a model"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(masked(stdout)).toMatchInlineSnapshot(`
      "exported evolved merge to ~/a model
      weights, scored on the guard rows, read back and scored again: sha256 #
      evaluate it with: lm_eval --model hf --model_args 'pretrained=~/a model' --tasks mmlu --batch_size 8
      "
    `);
  });

  test("prints JSON", async () => {
    const { stdout } = await evomerge(folder, ["export", "results/tiny", "--json"]);
    const { model, weightsDigest, lmEval, verdict } = JSON.parse(stdout) as ExportResult;
    expect({ model, weightsDigest }).toEqual({
      model: join(folder, "results/tiny/best"),
      weightsDigest: verdict?.weightsDigest,
    });
    expect(lmEval).toContain(`pretrained=${model} `);
  });
});

/** Presses Ctrl-C when a process says something. */
const interruptAt =
  (text: string) =>
  (child: ChildProcessWithoutNullStreams): unknown =>
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes(text)) child.kill("SIGINT");
    });

describe("an interruption", () => {
  test("of a run that was resumed with another budget need not be told it again", async () => {
    const run = join(await temporaryFolder(), "run");
    const first = ["run", "tiny.yaml", "--out", run, "--export"];
    const { stderr: said } = await evomerge(folder, first, { watch: interruptAt("1 generation ") });
    expect(said.trimEnd().split("\n").at(-1)).toBe(
      `interrupted; go on with: ${shownCommand} resume ${relative(folder, run)} --export`,
    );
    for (const budget of ["--evaluations 90", "--budget 600s"]) {
      const args = ["resume", run, ...budget.split(" ")];
      const { code, stderr } = await evomerge(folder, args, { watch: interruptAt("resuming") });
      expect({ code, last: stderr.trimEnd().split("\n").at(-1) }).toEqual({
        code: 130,
        last: `interrupted; go on with: ${shownCommand} resume ${relative(folder, run)}`,
      });
    }
    expect(recorded(run, "budget")).toEqual([
      { type: "budget", budget: { evaluations: 90 } },
      { type: "budget", budget: { seconds: 600 } },
    ]);
  });

  test("ends a run with 130 and the command that resumes it, which leads to what an uninterrupted run finds", async () => {
    const args = ["run", "tiny.yaml", "--evaluations", "60", "--out", "my run"];
    const interrupted = await evomerge(folder, args, {
      watch: (child) =>
        child.stderr.on("data", (chunk: Buffer) => {
          if (/ [2-9] generations /.test(chunk.toString())) {
            // A terminal and npm both pass one Ctrl-C on.
            child.kill("SIGINT");
            child.kill("SIGINT");
          }
        }),
    });
    expect(interrupted).toMatchObject({ code: 130, stdout: "" });
    const goOn = `${shownCommand} resume 'my run'`;
    expect(interrupted.stderr.split("\n").slice(-2)).toEqual([`interrupted; go on with: ${goOn}`, ""]);
    expect(readFileSync(join(folder, "my run", "generations.csv"), "utf8").split("\n").length).toBeGreaterThan(3);

    const resumed = await pasted(folder, `${goOn} --json`);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain("resuming my run");
    const experiment = { ...(await loadExperiment(join(folder, "tiny.yaml"))), budget: { evaluations: 60 } };
    const whole = await launchRun(experiment, join(folder, "whole"));
    expect((JSON.parse(resumed.stdout) as Outcome).winner).toEqual(whole.winner);
    expect(traces(join(folder, "my run"))).toEqual(traces(join(folder, "whole")));
  });
});

describe("evomerge doctor", () => {
  test("says what works and what does not", async () => {
    const { code, stdout } = await evomerge(folder, ["doctor", "--json"]);
    expect(code).toBe(0);
    const findings = JSON.parse(stdout) as { name: string; works: boolean }[];
    expect(findings.filter(({ works }) => works).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["node", "memory", "disk", "engine tfjs", "engine auto"]),
    );
  });
});

describe("a failure", () => {
  beforeAll(() => writeRows(join(folder, "empty.jsonl"), []));

  test.each([
    [1, ["run", "absent.yaml"], "evomerge: absent.yaml: no such file or directory; expected a YAML file\n"],
    [1, ["resume", "base"], "evomerge: base holds no run: expected the file journal.jsonl in it\n"],
    [
      1,
      ["score", "base", "--task", "empty.jsonl"],
      "evomerge: empty.jsonl: expected rows, found none; give JSON lines, CSV with a header, or parquet\n",
    ],
    [2, ["run"], "error: missing required argument 'experiment'\n"],
    [2, ["rn"], "error: unknown command 'rn'\n(Did you mean run?)\n"],
    [
      2,
      ["run", "tiny.yaml", "--budget", "10"],
      "error: option '--budget <time>' argument '10' is invalid. expected a time such as 90s, 10m, 1h\n",
    ],
    [
      2,
      ["run", "tiny.yaml", "--evaluations", "1e15"],
      "error: option '--evaluations <count>' argument '1e15' is invalid. expected at most 1000000000\n",
    ],
    [
      2,
      ["run", "tiny.yaml", "--budget", "1m", "--evaluations", "9"],
      "error: option '--evaluations <count>' cannot be used with option '--budget <time>'\n",
    ],
    [
      2,
      ["score", "base", "--task", "x", "--limit", "0"],
      "error: option '--limit <rows>' argument '0' is invalid. expected a whole number from 1\n",
    ],
  ])("ends with %i: evomerge %s", { concurrent: true }, async (expected, args, message) => {
    expect(await evomerge(folder, args)).toEqual({ code: expected, stdout: "", stderr: message });
  });

  test("of a command without a name shows the help and ends with 2", async () => {
    const { code, stdout, stderr } = await evomerge(folder, []);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: evomerge/);
  });

  test("does not come of asking for help or the version", async () => {
    expect(await evomerge(folder, ["run", "--help"])).toMatchObject({ code: 0, stderr: "" });
    expect(await evomerge(await temporaryFolder(), ["--version"])).toMatchObject({ code: 0, stdout: "0.1.0\n" });
  });
});
