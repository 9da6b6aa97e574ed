import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { formatManifest, MANIFEST, parseManifest } from "../../src/model-folder/manifest.ts";
import { UserError } from "../../src/errors.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { evaluateModels, type EvaluateOptions, type EvaluationEvent } from "../../src/lm-eval/evaluate-models.ts";
import type { StoredEvaluation } from "../../src/lm-eval/stored-evaluation.ts";
import { readBenchmarks } from "../../src/report/benchmarks.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { type FakeLmEval, writeFakeLmEval } from "./fake-lm-eval.ts";

let models: string;
/** A finished and exported run; tests work on copies of it. */
let finished: string;
/** A run that was interrupted before its search, so that another model is its best. */
let other: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  finished = join(models, "run");
  other = join(models, "other");
  const experiment = await tinyExperiment(models);
  await launchRun(experiment, finished);
  await exportRun(finished);
  await interrupt(experiment, other, ({ type }) => type === "planned");
});
afterAll(() => rm(models, { recursive: true, force: true }));

interface Evaluating {
  readonly run: string;
  readonly fake: FakeLmEval;
  readonly events: readonly EvaluationEvent[];
  readonly evaluate: (options?: EvaluateOptions) => ReturnType<typeof evaluateModels>;
  /** Models whose evaluation was asked of lm_eval, in order. */
  readonly asked: () => readonly string[];
}

/** A copy of the run and a fake lm_eval to evaluate it with. */
async function evaluating(): Promise<Evaluating> {
  const folder = await temporaryFolder();
  const run = join(folder, "run");
  cpSync(finished, run, { recursive: true });
  const fake = await writeFakeLmEval(folder);
  const events: EvaluationEvent[] = [];
  const evaluate: Evaluating["evaluate"] = (options) =>
    evaluateModels(run, { task: "quiz", python: fake.python, onEvent: (event) => void events.push(event), ...options });
  const asked = (): readonly string[] =>
    fake.calls().map((args) => args[args.indexOf("--model_args") + 1]!.split("/").at(-1)!);
  return { run, fake, events, evaluate, asked };
}

function flipLastBit(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1]! ^= 1;
  return changed;
}

describe("evaluateModels of a run", () => {
  test("evaluates base, experts and winner, and pairs the winner with each", async () => {
    const { run, evaluate, asked, events } = await evaluating();
    const { folder, benchmark } = await evaluate();
    expect(asked()).toEqual(["base", "nature", "craft", "best"]);
    expect(folder).toBe(join(run, "lm_eval"));
    expect(
      benchmark.models.map(({ name, kind, scores }) => [name, kind, scores["quiz"]?.metrics["acc"]?.value]),
    ).toEqual([
      ["base", "parent", 0.25],
      ["nature", "parent", 0.5],
      ["craft", "parent", 0.875],
      ["winner", "winner", 0.875],
    ]);
    const gains = benchmark.models.map(({ gains }) => gains?.["quiz"]);
    expect(gains.map((gain) => gain?.gain)).toEqual([0.625, 0.375, 0, undefined]);
    expect(gains[0]!.pValue).toBeLessThan(0.001);
    expect(gains[2]!.pValue).toBe(1);
    expect(await readBenchmarks(run)).toEqual([benchmark]);
    expect(events).toContainEqual({ type: "evaluating", model: "nature", share: 0.37 });
    expect(events.at(-1)).toMatchObject({ type: "evaluated", model: "winner", isStored: false });
  });

  test("stores what was run, on which weights, and everything lm_eval said", async () => {
    const { run, fake, evaluate } = await evaluating();
    await evaluate({ args: ["--device", "cpu"], models: ["nature", "winner"] });
    expect(readdirSync(join(run, "lm_eval", "quiz")).toSorted()).toEqual(["nature.json", "winner.json"]);
    const stored = JSON.parse(readFileSync(join(run, "lm_eval", "quiz", "nature.json"), "utf8")) as StoredEvaluation;
    expect(stored).toMatchObject({
      model: "nature",
      source: join(models, "nature"),
      task: "quiz",
      arguments: ["--tasks", "quiz", "--batch_size", "8", "--device", "cpu"],
      lmEvalVersion: "0.4.13",
      weights: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      rows: { quiz: { acc: Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 0)) } },
      results: { total_evaluation_time_seconds: "1.5", config: { model: "hf" } },
    });
    expect(stored.command.slice(0, 7).join(" ")).toBe(
      `${fake.python} -m lm_eval --model hf --model_args pretrained=${join(models, "nature")}`,
    );
  });

  test("does not evaluate again what is stored", async () => {
    const { evaluate, asked, events } = await evaluating();
    const first = await evaluate({ models: ["winner"] });
    expect(await evaluate({ models: ["winner"] })).toEqual(first);
    expect(asked()).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "evaluated", model: "winner", isStored: true });
  });

  test("refuses a parent that is not the one that the run has read", async () => {
    const { evaluate, asked } = await evaluating();
    const path = join(models, "nature", "model.safetensors");
    const bytes = readFileSync(path);
    writeFileSync(path, flipLastBit(bytes));
    onTestFinished(() => writeFileSync(path, bytes));
    await expect(evaluate({ models: ["base", "nature"] })).rejects.toThrow(`${path}: tensor lm_head.weight: expected`);
    expect(asked()).toEqual(["base"]);
  });

  test("goes on after an interruption with the models that are left", async () => {
    const { run, evaluate, asked } = await evaluating();
    const interruption = new AbortController();
    const onEvent = (event: EvaluationEvent): void => {
      if (event.type === "evaluating" && event.model === "craft") interruption.abort(new Error("enough"));
    };
    const models = ["base", "craft"];
    await expect(evaluate({ models, onEvent, signal: interruption.signal })).rejects.toThrow("enough");
    expect(readdirSync(join(run, "lm_eval", "quiz"))).toEqual(["base.json"]);
    await evaluate({ models });
    expect(asked()).toEqual(["base", "craft", "craft"]);
  });

  test("evaluates again with other arguments, and keeps both", async () => {
    const { run, evaluate, asked } = await evaluating();
    const whole = await evaluate({ models: ["base", "nature"] });
    const part = await evaluate({ args: ["--limit", "40"], models: ["nature"] });
    expect(asked()).toEqual(["base", "nature", "nature"]);
    expect(part.benchmark.models.map(({ name }) => name)).toEqual(["nature"]);
    expect(await evaluate({ models: ["nature"] })).toEqual(whole);
    expect(asked()).toHaveLength(3);
    expect(await readBenchmarks(run)).toEqual([whole.benchmark, part.benchmark]);
  });

  test("exports the winner where its export is absent or is another model's", async () => {
    const { run, evaluate, events } = await evaluating();
    rmSync(join(run, "best"), { recursive: true });
    await evaluate({ models: ["winner"] });
    expect(events.filter(({ type }) => type === "exported")).toHaveLength(1);
    await evaluate({ models: ["winner"] });
    expect(events.filter(({ type }) => type === "exported")).toHaveLength(1);
    await exportRun(other, { to: join(run, "best") });
    await evaluate({ models: ["winner"] });
    expect(events.filter(({ type }) => type === "exported")).toHaveLength(2);
  });

  test.each(["model.safetensors", "config.json"])("refuses an export whose %s was changed", async (name) => {
    const { run, evaluate, asked } = await evaluating();
    const path = join(run, "best", name);
    const changed = flipLastBit(readFileSync(path));
    writeFileSync(path, changed);
    const fault = `${join(run, "best")}: '${name}' was changed since the export`;
    await expect(evaluate({ models: ["base", "winner"] })).rejects.toThrow(fault);
    expect(asked()).toEqual([]);
    expect(readFileSync(path)).toEqual(changed);
  });

  test("exports the winner anew over weights that its verdict is not on", async () => {
    const { run, evaluate, events } = await evaluating();
    const best = join(run, "best");
    const path = join(best, "model.safetensors");
    const scored = readFileSync(path);
    const changed = flipLastBit(scored);
    writeFileSync(path, changed);
    const manifest = parseManifest(readFileSync(join(best, MANIFEST), "utf8"))!;
    const sha256 = createHash("sha256").update(changed).digest("hex");
    writeFileSync(join(best, MANIFEST), formatManifest(new Map([...manifest, ["model.safetensors", sha256]])));
    await evaluate({ models: ["winner"] });
    expect(events.filter(({ type }) => type === "exported")).toHaveLength(1);
    expect(readFileSync(path)).toEqual(scored);
  });

  test("compares on a group as a whole, and keeps its subjects", async () => {
    const { benchmark } = await (await evaluating()).evaluate({ task: "school", models: ["base", "winner"] });
    const [base] = benchmark.models;
    expect(Object.entries(base!.scores).map(([task, { isPart, documents }]) => [task, isPart, documents])).toEqual([
      ["school_maths", true, 30],
      ["school_art", true, 10],
      ["school", false, 40],
    ]);
    // 8 of 30 and 3 of 10 against 25 and 5.
    expect(Object.keys(base!.gains!)).toEqual(["school"]);
    expect(base!.gains!["school"]!.gain).toBeCloseTo((30 - 11) / 40, 12);
  });

  test("evaluates a model where it was moved to, which it is told once", async () => {
    const { run, evaluate, asked } = await evaluating();
    const craft = join(run, "..", "moved");
    cpSync(join(models, "craft"), craft, { recursive: true });
    await expect(evaluate({ models: ["craft"], moved: { base: craft } })).rejects.toThrow(
      /another tensor \S+, it is expert craft/,
    );
    await evaluate({ models: ["craft"], moved: { experts: { craft } } });
    writeFileSync(join(run, "lm_eval", "quiz", "craft.json"), "");
    await evaluate({ models: ["craft"] });
    expect(asked()).toEqual(["moved", "moved"]);
  });

  test("says in one line which model lm_eval failed on and why, and keeps its output under a name that is free", async () => {
    const { evaluate, run } = await evaluating();
    const environment = { ...process.env, FAKE_LM_EVAL: "fail" };
    const messageOf = async (): Promise<string> =>
      evaluate({ environment, models: ["craft"] }).then(String, (error: UserError) => error.message);
    const log = join(run, "lm_eval", "quiz", "craft.log");
    const fault = "craft: lm_eval exited with code 3: KeyError: 'no such task'; the end of its output is in";
    expect(await messageOf()).toBe(`${fault} ${log}`);
    expect(readFileSync(log, "utf8")).toMatch(/^Traceback .*\n.*evaluator\.py"\nKeyError: 'no such task'\n$/m);
    expect(await messageOf()).toBe(`${fault} ${log.replace("craft.log", "craft.2.log")}`);
    expect(readdirSync(join(run, "lm_eval", "quiz")).toSorted()).toEqual(["craft.2.log", "craft.log"]);
  });

  test("says what to do where lm_eval cannot reach the Hub", async () => {
    const { evaluate } = await evaluating();
    const environment = { ...process.env, FAKE_LM_EVAL: "offline" };
    await expect(evaluate({ environment, models: ["craft"] })).rejects.toThrow(
      /^craft: lm_eval exited with code 3: ConnectionError: Couldn't reach 'cais\/mmlu' .*; it fetches the rows of its tasks from the Hugging Face Hub: connect this machine to it, or .*craft\.log$/,
    );
  });

  test("keeps what lm_eval wrote where that cannot be read", async () => {
    const { evaluate } = await evaluating();
    const environment = { ...process.env, FAKE_LM_EVAL: "garbled" };
    const failure = await evaluate({ environment, models: ["craft"] }).catch((error: unknown) => error);
    const { message } = failure as UserError;
    const [, path = ""] = /^craft: (.*results_.*\.json): expected the results of lm_eval/.exec(message) ?? [];
    expect(existsSync(path)).toBe(true);
  });

  test("keeps what an earlier evaluation could not read while it evaluates anew, twice at once", async () => {
    const { evaluate } = await evaluating();
    const environment = { ...process.env, FAKE_LM_EVAL: "garbled" };
    const garbled = await evaluate({ environment, models: ["craft"] }).catch((error: unknown) => error);
    const kept = /^craft: (?<path>.*results_.*\.json): /.exec((garbled as UserError).message)!.groups!["path"]!;
    await Promise.all([evaluate({ models: ["craft"] }), evaluate({ models: ["craft"] })]);
    expect(existsSync(kept)).toBe(true);
  });

  test("names the models there are when asked for another", async () => {
    const { evaluate } = await evaluating();
    await expect(evaluate({ models: ["crafty"] })).rejects.toThrow(
      'it has no model "crafty"; expected base, nature, craft, winner',
    );
  });
});
