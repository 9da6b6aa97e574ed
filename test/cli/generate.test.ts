import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { evomerge } from "./evomerge.ts";

const news = join(import.meta.dirname, "..", "..", "experiments", "demo", "news");

test("evomerge generate prints a JSON object a line for prompts of the command line and of a file", async () => {
  const folder = await temporaryFolder();
  const rows = [
    {
      input: "Article: It was very cold. Eight nurses were saved. On Monday a blast shook the farm in Dover.\nSummary:",
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

test.each([
  [[], "expected a prompt, found none; give --prompt <text>, or --file <rows> with an input each"],
  [["--file", "rows.jsonl"], "rows.jsonl:2: input: expected a text"],
])("evomerge generate %j ends with 1 and one sentence", { concurrent: true }, async (options, message) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "rows.jsonl"), '{"input":"a"}\n{"input":3}\n');
  const { code, stdout, stderr } = await evomerge(folder, ["generate", news, ...options]);
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `evomerge: ${message}\n` });
});
