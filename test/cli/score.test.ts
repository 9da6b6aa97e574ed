import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { evomerge } from "./evomerge.ts";

test("evomerge score prints a model's measures of choices, and writes samples where it is told to", async () => {
  const folder = await temporaryFolder();
  await writeTinyExperiment(folder);
  const options = ["--task", "rows/quiz.jsonl", "--samples", "samples.jsonl"];
  const { code, stdout, stderr } = await evomerge(folder, ["score", "base", ...options]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(masked(stdout)).toBe(
    "rows       16\nloss       #\nacc        #\nacc_norm   #\nacc_bytes  #\nengine     ...\n",
  );
  expect(readFileSync(join(folder, "samples.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(16);
});

test("evomerge score prints what a byte of texts costs", async () => {
  const folder = await temporaryFolder();
  await writeTinyExperiment(folder);
  const { code, stdout } = await evomerge(folder, ["score", "base", "--task", "rows/news.jsonl"]);
  expect(code).toBe(0);
  expect(masked(stdout)).toBe(
    "rows             8\nloss             #\nbits_per_byte    #\nbyte_perplexity  #\nengine           ...\n",
  );
});

/** Numbers that depend on the machine, masked. */
function masked(text: string): string {
  return text.replaceAll(/\d+\.\d+/g, "#").replace(/(?<=engine +)\S.*/, "...");
}
