import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { findLmEval } from "../../src/lm-eval/find-lm-eval.ts";
import { LmEvalError, lmEvalArguments, runLmEval, type RunLmEvalOptions } from "../../src/lm-eval/run-lm-eval.ts";
import { isRunning } from "../is-running.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type FakeLmEval, writeFakeLmEval } from "./fake-lm-eval.ts";

const question = { task: "quiz", batchSize: "8", args: [] };

/** Runs a fake lm_eval in one of its modes. */
async function run(mode: string, options: RunLmEvalOptions = {}): Promise<FakeLmEval> {
  const folder = await temporaryFolder();
  const fake = await writeFakeLmEval(folder);
  await mkdir(join(folder, "out"));
  const args = lmEvalArguments("/models/base", question, join(folder, "out"));
  const environment = { ...process.env, FAKE_LM_EVAL: mode };
  await runLmEval(await findLmEval({ python: fake.python }), args, { environment, ...options });
  return fake;
}

describe("lmEvalArguments", () => {
  test("are those of the competition's command, with where to write and what else is asked", () => {
    const args = ["--device", "cpu", "--model_args", "dtype=float32"];
    expect(lmEvalArguments("/a model", { task: "mmlu", batchSize: "8", args }, "/out")).toEqual(
      [
        ["--model", "hf", "--model_args", "pretrained=/a model", "--tasks", "mmlu", "--batch_size", "8", ...args],
        ["--output_path", "/out", "--log_samples"],
      ].flat(),
    );
  });

  test.each(["/a,b", "/a=b", "/a{b", `/${"a".repeat(200)}`])(
    "refuse %s, which lm_eval would take for something else",
    (path) => {
      expect(() => lmEvalArguments(path, question, "/out")).toThrow(UserError);
      expect(() => lmEvalArguments(path, question, "/out")).toThrow(path);
    },
  );

  test.each(["--use_cache=answers", "-c"])("refuse %s, which mixes up models", (argument) => {
    const asked = { ...question, args: [argument] };
    expect(() => lmEvalArguments("/a", asked, "/out")).toThrow("does not tell one model's answers from another's");
  });

  test.each([
    "--tasks",
    "-b",
    "-M",
    "--output_path=/tmp",
    "--model_args=pretrained=gpt2",
    "dtype=auto,pretrained=gpt2",
  ])("refuse the further argument %s, which is decided elsewhere", (argument) => {
    const asked = { ...question, args: ["--device", argument] };
    expect(() => lmEvalArguments("/a", asked, "/out")).toThrow(`${argument}: this follows from`);
  });

  test("passes on arguments of any name", () => {
    const args = ["constructor", "toString", "__proto__"];
    const asked = { task: "mmlu", batchSize: "8", args };
    expect(lmEvalArguments("/a", asked, "/out")).toEqual(expect.arrayContaining(args));
  });
});

describe("runLmEval", () => {
  test("tells the share of the requests that is done", async () => {
    const shares: number[] = [];
    const fake = await run("", { onProgress: (share) => void shares.push(share) });
    expect(shares).toEqual([0, 0.37, 1]);
    expect(fake.calls()[0]).toEqual(expect.arrayContaining(["--model_args", "pretrained=/models/base"]));
  });

  test("fails with the line that says what went wrong, and keeps the end of the output without its bars", async () => {
    const failure = await run("fail").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LmEvalError);
    const { message, output } = failure as LmEvalError;
    expect(message).toBe("lm_eval exited with code 3: KeyError: 'no such task'");
    expect(output).toBe(
      "2026-01-01 INFO     [evaluator:1] Selected tasks\nTraceback (most recent call last):\n  File \"evaluator.py\"\nKeyError: 'no such task'",
    );
  });

  test("interrupts lm_eval when the signal aborts, and throws its reason", async () => {
    const interruption = new AbortController();
    const folder = await temporaryFolder();
    const { python, calls } = await writeFakeLmEval(folder);
    const args = lmEvalArguments("/models/base", question, folder);
    const running = runLmEval({ command: [python, "-m", "lm_eval"], version: "" }, args, {
      signal: interruption.signal,
      environment: { ...process.env, FAKE_LM_EVAL: "hang" },
      onProgress: () => interruption.abort(new Error("enough")),
    });
    await expect(running).rejects.toThrow("enough");
    expect(calls().at(-1)).toEqual(["interrupted"]);
  });

  test("kills an lm_eval that does not end by itself", async () => {
    const interruption = new AbortController();
    const options = {
      signal: interruption.signal,
      graceMs: 50,
      onProgress: () => interruption.abort(new Error("enough")),
    };
    await expect(run("deaf", options)).rejects.toThrow("enough");
  });

  test("leaves no process behind that an interrupted lm_eval has started", async () => {
    const interruption = new AbortController();
    const folder = await temporaryFolder();
    const { python, calls } = await writeFakeLmEval(folder);
    const running = runLmEval({ command: [python, "-m", "lm_eval"], version: "" }, [], {
      signal: interruption.signal,
      environment: { ...process.env, FAKE_LM_EVAL: "parent" },
      // Later than the shell takes to ignore interruptions.
      onProgress: () => setTimeout(() => interruption.abort(new Error("enough")), 200),
    });
    await expect(running).rejects.toThrow("enough");
    const [, [child]] = calls() as [unknown, [string]];
    await expect.poll(() => isRunning(child)).toBe(false);
  });

  test("says which program cannot be run", async () => {
    const gone = { command: ["/no/such/python"], version: "" } as const;
    await expect(runLmEval(gone, [])).rejects.toThrow("cannot run /no/such/python");
  });
});
