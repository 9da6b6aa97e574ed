import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeRows } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { evomerge } from "./evomerge.ts";

const root = join(import.meta.dirname, "..", "..");
const tokenizer = join(root, "test", "fixtures", "tasks", "tokenizers", "byte-level");
const score = ["score", "model", "--task", "rows.jsonl", "--engine", "ggml", "--json"];

/** A folder with a model and a row whose context is `context`. */
async function modelAndRow(context: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeTinyModel(join(folder, "model"), { tokenizer });
  await writeRows(join(folder, "rows.jsonl"), [{ input: context, target: "b" }]);
  return folder;
}

test("the built program scores as the sources do", async () => {
  const folder = await modelAndRow("A fox.");
  const ended = await evomerge(folder, score);
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  const loader = import.meta.resolve("tsx");
  const sources = await run(folder, ["--import", loader, join(root, "src", "cli", "main.ts"), ...score]);
  expect(JSON.parse(ended.stdout)).toEqual(JSON.parse(sources.stdout));
});

test("Ctrl-C ends a program whose tokenizer never ends", async ({ skip }) => {
  if (process.platform !== "linux") skip("the processes of a process are listed on Linux only");
  const folder = await modelAndRow(`${"a".repeat(60)}!`);
  const path = join(folder, "model", "tokenizer.json");
  const json = JSON.parse(await readFile(path, "utf8"));
  json.pre_tokenizer = { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false };
  await writeFile(path, JSON.stringify(json));
  const ended = await evomerge(folder, score, { watch: (child) => void pressWhenBusy(child.pid!) });
  expect(ended).toMatchObject({ code: 130, stdout: "" });
});

/** Presses Ctrl-C, which reaches a program and its children, once the tokenizer has used a second of CPU time. */
async function pressWhenBusy(pid: number): Promise<void> {
  for (;;) {
    await sleep(50);
    const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
    const child = children.find((id) => read(`/proc/${id}/cmdline`).includes("tokenizer-process"));
    const ticks = child === undefined ? 0 : Number(read(`/proc/${child}/stat`).split(" ")[13] ?? 0);
    if (child === undefined || ticks < 100) continue;
    for (const each of [pid, Number(child)]) process.kill(each, "SIGINT");
    return;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

async function run(
  cwd: string,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { cwd });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}
