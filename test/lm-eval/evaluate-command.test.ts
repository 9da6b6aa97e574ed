import type { ChildProcess } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchRun } from "../../src/run/launch-run.ts";
import type { Evaluated } from "../../src/lm-eval/evaluate-models.ts";
import { evomerge } from "../cli/evomerge.ts";
import { isRunning } from "../is-running.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { type FakeLmEval, writeFakeLmEval } from "./fake-lm-eval.ts";

let folder: string;
let fake: FakeLmEval;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  fake = await writeFakeLmEval(folder);
  await launchRun(await tinyExperiment(folder), join(folder, "run"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("evomerge evaluate", () => {
  test("prints the table, tells each model and leaves report.md and benchmarks.csv", async () => {
    const args = ["evaluate", "run", "--task", "quiz", "--python", fake.python, "--", "--device", "cpu"];
    const { code, stdout, stderr } = await evomerge(folder, args);
    expect({ code, stderr: stderr.replaceAll(/\d+ s/g, "# s") }).toEqual({
      code: 0,
      stderr: ["base", "nature", "craft", "winner"].map((name) => `${name} on quiz: evaluated in # s\n`).join(""),
    });
    expect(stdout.replaceAll(/(?<= {2,})\d+(?= {2}|\n)/g, "#")).toMatchInlineSnapshot(`
      "quiz, lm_eval 0.4.13
      model               acc  acc_norm  seconds        winner's gain in acc  p (Holm)              winner is
      ------  ---------------  --------  -------  --------------------------  --------  ---------------------
      base    0.2500 ± 0.0500    0.5000        #  +0.6250 [+0.4511, +0.7704]    0.0006  better by 62.5 points
      nature  0.5000 ± 0.0500    0.5000        #  +0.3750 [+0.2296, +0.5489]    0.0006  better by 37.5 points
      craft   0.8750 ± 0.0500    0.5000        #  +0.0000 [+0.0000, +0.0000]    1.0000               the same
      winner  0.8750 ± 0.0500    0.5000        #

      On quiz the winner is significantly better than base (by 62.5 points) and nature (by 37.5 points).
      On quiz the winner shows no significant gain over craft.
      stored in run/lm_eval
      "
    `);
    const report = readFileSync(join(folder, "run", "report.md"), "utf8");
    for (const name of ["base", "nature", "craft", "winner"]) expect(report).toContain(`\n| ${name} | 0.`);
    expect(readFileSync(join(folder, "run", "benchmarks.csv"), "utf8")).toContain(
      "--tasks quiz --batch_size 8 --device cpu,0.4.13,winner,quiz,acc,0.875,",
    );
    expect(fake.calls()[0]).toEqual(expect.arrayContaining(["--device", "cpu"]));
  });

  test("prints JSON alone, of the models that are asked for", async () => {
    const args = [
      "evaluate",
      "run",
      "--task",
      "school",
      "--models",
      "base",
      "winner",
      "--python",
      fake.python,
      "--json",
    ];
    const { stdout } = await evomerge(folder, args);
    const { benchmark } = JSON.parse(stdout) as Evaluated;
    expect(benchmark).toMatchObject({ task: "school", models: [{ name: "base" }, { name: "winner" }] });
  });

  test("leaves nothing of lm_eval behind when it is killed", async () => {
    const alone = await temporaryFolder();
    const { python, calls } = await writeFakeLmEval(alone);
    cpSync(join(folder, "base"), join(alone, "base"), { recursive: true });
    let running: ChildProcess | undefined;
    const killed = evomerge(alone, ["evaluate", "base", "--task", "quiz", "--python", python], {
      env: { FAKE_LM_EVAL: "parent" },
      watch: (child) => (running = child),
    });
    await expect.poll(() => calls().length).toBe(2);
    running!.kill("SIGKILL");
    await killed;
    const [, [child]] = calls() as [unknown, [string]];
    // Less than it would take to end by itself.
    await expect.poll(() => isRunning(child)).toBe(false);
    expect(readdirSync(join(alone, "base.lm_eval", "quiz"))).toEqual([]);
  });
});
