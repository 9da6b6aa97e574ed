import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseJson } from "../../src/files/json.ts";
import { isMmluName, findMmlu } from "../../src/tasks/mmlu-guard.ts";
import { parsePythonList } from "../../src/tasks/python-list.ts";
import { readRows } from "../../src/tasks/rows.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Of any of these a pattern may take quadratic time, or all memory there is for its ways back. */
const runs = [" ", "\t", "\n", "\x1c", "1", "a", "\\", "'", '"', ",", "\nA. ", "\n\nB", "hendrycks ", "Context: "];
const LENGTH = 1_000_000;

async function read(row: unknown): Promise<void> {
  const path = join(await temporaryFolder(), "rows.jsonl");
  await writeFile(path, JSON.stringify(row));
  findMmlu(await readRows(path));
}

test.each(runs)("a million times %j in a row takes a moment", async (run) => {
  const long = run.repeat(LENGTH / run.length);
  for (const text of [`x${long}x`, `${long}x`, `Read the following context${long}`]) {
    await read({ question: text, choices: ["a", "b", "c", "d"], answer: 0 });
    await read({ input: text, target: text, answer_choices: [text, "b"] });
    await read({ input: text, target: "x" });
    isMmluName(text);
    parsePythonList(`['a'${text}]`);
    parsePythonList(`['a${text}']`);
    for (const json of [`["a"${text}`, `[${text}`])
      expect(() => parseJson(json, "a.json", "JSON")).toThrow("a.json: expected JSON");
  }
});

test("a list with an answer of many megabytes is read, and one that does not end refused", () => {
  const long = "a".repeat(20_000_000);
  expect(parsePythonList(`['${long}', "b"]`)).toEqual([long, "b"]);
  expect(parsePythonList(`['${long}`)).toBeUndefined();
  expect(parsePythonList(`['a'${" ".repeat(20_000_000)}`)).toBeUndefined();
});

test("a fault of a row of megabytes is told in a short sentence", async () => {
  const long = "b".repeat(10_000_000);
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}\n`, 1]));
  for (const row of [
    { input: "a", target: long, answer_choices: ["x", long], label: 0 },
    { input: "a", target: "c", answer_choices: ["x", long], label: 1 },
    { input: "a", target: long, answer_choices: ["x", "y"] },
    { input: "a", ...keys },
    keys,
    [long],
    long,
  ]) {
    const error: unknown = await read(row).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UserError" });
    expect((error as Error).message.length).toBeLessThan(2000);
  }
  await expect(read(keys)).rejects.toThrow("'key19\\n' and 99980 more");
});

test("a row of nothing but line ends is read", async () => {
  const context = `x${"\n".repeat(60_000_000)}x`;
  await expect(read({ input: context, target: "a", answer_choices: ["a", "b"] })).resolves.toBeUndefined();
});
