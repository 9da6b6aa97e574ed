import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { evomerge } from "./evomerge.ts";

const news = join(import.meta.dirname, "..", "..", "experiments", "demo", "news");
const article = "Article: It was very cold. Eight nurses were saved. On Monday a blast shook the farm in Dover.";

test("evomerge generate prints a JSON object a line for prompts of the command line and of a file", async () => {
  const folder = await temporaryFolder();
  const rows = [
    {
      input: `${article}\nSummary:`,
    },
  ];
  await writeFile(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const options = ["--file", "rows.jsonl", "--max-new-tokens", "24", "--until", "\n", "--engine", "ggml"];
  const { code, stdout, stderr } = await evomerge(folder, ["generate", news, "--prompt", "The fox", ...options]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [fox, nurses, ...others] = stdout.split("\n").slice(0, -1);
  expect(others).toEqual([]);
  expect(JSON.parse(fox!)).toEqual({ prompt: "The fox", text: expect.any(String), tokens: expect.any(Number) });
  expect(JSON.parse(nurses!)).toEqual({
    prompt: rows[0]!.input,
    text: " Police say nurses saved in Dover farm blast on Monday.",
    tokens: 12,
  });
});

/** Interrupts a command as soon as it says anything on standard output. */
function interruptAtFirst(child: ChildProcessWithoutNullStreams): void {
  child.stdout.once("data", () => child.kill("SIGINT"));
}

/** Prompts of which the first is answered at once, and that are too many to be answered by the time that this is heard of. */
const many = Array.from({ length: 400 }, (_, i) => (i === 0 ? "The fox" : `${article} It was ${i} days ago.`));

test("evomerge generate prints each text when those before it are there, and ends with 130 and a sentence", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "rows.jsonl"), many.map((input) => `${JSON.stringify({ input })}\n`).join(""));
  const options = ["--file", "rows.jsonl", "--max-new-tokens", "100", "--engine", "ggml"];
  const { code, stdout, stderr } = await evomerge(folder, ["generate", news, ...options], { watch: interruptAtFirst });
  const printed = stdout.split("\n").slice(0, -1);
  const prompts = printed.map((line) => (JSON.parse(line) as { prompt: string }).prompt);
  expect(prompts[0]).toBe("The fox");
  const places = prompts.map((prompt) => many.indexOf(prompt));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(printed.length).toBeLessThan(many.length);
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: `${many.length - printed.length} of ${many.length} texts are missing\n`,
  });
});

test.each([
  [["--prompt", "a", ""], "--prompt 2: '': expected at least one token, found none; give it some text"],
  [["--file", "empty.jsonl"], "empty.jsonl:2: '': expected at least one token, found none; give it some text"],
])("evomerge generate %j names the prompt that is empty", async (options, message) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "empty.jsonl"), '{"input":"a"}\n{"input":""}\n');
  const { code, stdout, stderr } = await evomerge(folder, ["generate", news, ...options, "--engine", "ggml"]);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `evomerge: ${message}\n` });
});

test.each([
  [[], "expected a prompt, found none; give --prompt <text>, or --file <rows> with an input each"],
  [["--file", "rows.jsonl"], "rows.jsonl:2: input: expected a text"],
])("evomerge generate %j ends with 1 and one sentence", { concurrent: true }, async (options, message) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "rows.jsonl"), '{"input":"a"}\n{"input":3}\n');
  const { code, stdout, stderr } = await evomerge(folder, ["generate", news, ...options]);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `evomerge: ${message}\n` });
});
