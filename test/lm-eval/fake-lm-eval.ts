import { readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A program in the place of a Python that has lm_eval. */
export interface FakeLmEval {
  readonly python: string;
  /** The arguments of every call of lm_eval so far. */
  readonly calls: () => readonly (readonly string[])[];
}

/**
 * Writes a program that answers as `python -m lm_eval` does: it knows the task `quiz` of 40 documents and the group
 * `school` of two subjects of 30 and 10, which base answers one in four right, nature half and any other model all but
 * five. FAKE_LM_EVAL in the environment makes it fail, be `offline`, write `garbled` results, or hang until it is interrupted or, as
 * `deaf`, killed; a `parent` hangs too, and logs the id of a process of its own that interruptions do not end.
 */
export async function writeFakeLmEval(folder: string): Promise<FakeLmEval> {
  const python = join(folder, "python");
  const log = join(folder, "calls.jsonl");
  await writeFile(log, "");
  await writeFile(python, `#!${process.execPath}\nconst log = ${JSON.stringify(log)};\n${program}`);
  await chmod(python, 0o755);
  return {
    python,
    calls: () =>
      readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as string[]),
  };
}

const program = String.raw`
const { appendFileSync, mkdirSync, writeFileSync } = require("node:fs");
const { spawn } = require("node:child_process");
const { basename, join } = require("node:path");
const [option, , ...args] = process.argv.slice(2);
if (option === "-c") {
  console.log("0.4.13");
} else {
  appendFileSync(log, JSON.stringify(args) + "\n");
  const mode = process.env["FAKE_LM_EVAL"];
  if (mode === "fail") fail("KeyError: 'no such task'");
  // As datasets 4 says it.
  else if (mode === "offline") fail("ConnectionError: Couldn't reach 'cais/mmlu' on the Hub (LocalEntryNotFoundError)");
  else if (mode === "hang" || mode === "deaf" || mode === "parent") hang(mode);
  else evaluate();
}

function fail(error) {
  process.stderr.write("2026-01-01 INFO     [evaluator:1] Selected tasks\r\n");
  process.stderr.write("\rBuilding contexts:  50%|#####     | 20/40 [00:00<00:00]\n");
  process.stderr.write("Traceback (most recent call last):\n  File \"evaluator.py\"\n" + error + "\n");
  process.exitCode = 3;
}

function hang(mode) {
  if (mode === "parent") {
    const child = spawn("sh", ["-c", "trap '' INT; exec sleep 3600"], { stdio: "ignore" });
    appendFileSync(log, JSON.stringify([String(child.pid)]) + "\n");
  }
  process.on("SIGINT", () => {
    if (mode === "deaf") return;
    appendFileSync(log, JSON.stringify(["interrupted"]) + "\n");
    process.exit(130);
  });
  process.stderr.write("Running loglikelihood requests:  10%|#  | 4/40\r\n");
  setInterval(() => {}, 1000);
}

function evaluate() {
  const after = (name) => args[args.indexOf(name) + 1];
  const model = after("--model_args").slice("pretrained=".length);
  for (const percent of [0, 37, 100])
    process.stderr.write("\rRunning loglikelihood requests: " + String(percent).padStart(3) + "%|##  | 1/40 [00:00<00:00]");
  process.stderr.write("\n");
  const output = join(after("--output_path"), model.replaceAll("/", "__"));
  const sizes = { quiz: { quiz: 40 }, school: { school_maths: 30, school_art: 10 } }[after("--tasks")];
  const results = {};
  for (const [task, size] of Object.entries(sizes)) results[task] = answer(task, size);
  if (sizes.quiz === undefined) results.school = { alias: "school", ...average(Object.values(results), Object.values(sizes)) };
  save("results", JSON.stringify({
    results: process.env["FAKE_LM_EVAL"] === "garbled" ? [] : results,
    group_subtasks: sizes.quiz === undefined ? { school: Object.keys(sizes) } : {},
    "n-samples": Object.fromEntries(Object.entries(sizes).map(([task, size]) => [task, { original: size, effective: size }])),
    versions: {}, config: { model: "hf" }, lm_eval_version: "0.4.13", total_evaluation_time_seconds: "1.5",
  }, null, 2), "json");

  function answer(task, size) {
    const share = { base: 0.25, nature: 0.5 }[basename(model)];
    const right = share === undefined ? size - 5 : Math.round(share * size);
    const lines = Array.from({ length: size }, (_, doc_id) => {
      const acc = doc_id < right ? 1 : 0;
      return JSON.stringify({ doc_id, doc_hash: "hash of " + task + " " + doc_id, filter: "none", acc, acc_norm: acc });
    });
    // lm_eval need not keep the order.
    save("samples_" + task, lines.reverse().join("\n") + "\n", "jsonl");
    return { alias: task, "acc,none": right / size, "acc_stderr,none": 0.05, "acc_norm,none": 0.5, "acc_norm_stderr,none": "N/A" };
  }

  function average(values, sizes) {
    const total = sizes[0] + sizes[1];
    const acc = values.reduce((sum, value, i) => sum + value["acc,none"] * sizes[i], 0) / total;
    return { "acc,none": acc, "acc_stderr,none": 0.03 };
  }

  function save(name, text, extension) {
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, name + "_2026-01-01T00-00-00.000000." + extension), text);
  }
}
`;
