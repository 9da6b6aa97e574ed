import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRows } from "../../src/tasks/rows.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { endlessRun, fault, parquet, read } from "./row-files.ts";

describe("an interrupt", () => {
  const reason = new Error("interrupted");

  test("ends the reading of a parquet file that takes long, and its process", async () => {
    const path = join(await temporaryFolder(), "rows.parquet");
    await writeFile(path, endlessRun());
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(reason), 100);
    await expect(readRows(path, {}, interrupt.signal)).rejects.toBe(reason);
    await expect(readRows(path, {}, interrupt.signal)).rejects.toBe(reason);
  });

  const rows: string[] = Array.from({ length: 100_000 }, (_, i) => JSON.stringify({ input: `a${i}`, target: "b" }));
  test.each([
    ["rows.jsonl", rows.join("\n")],
    ["rows.json", `[${rows.join(",")}]`],
    ["rows.csv", `input,target\n${rows.map((_, i) => `a${i},b\n`).join("")}`],
    ["blank.jsonl", "\n".repeat(5_000_000)],
    ["blank.csv", "\n".repeat(5_000_000)],
    ["rows.parquet", parquet({ input: rows, target: rows }, rows.length)],
  ])("is seen between the rows of %s", async (name, content) => {
    const path = join(await temporaryFolder(), name);
    await writeFile(path, content);
    const interrupt = new AbortController();
    const reading = readRows(path, {}, interrupt.signal);
    // As a person does it: from the event loop, which an uninterrupted loop keeps from running.
    let turns = 0;
    const look = setInterval(() => ++turns === 2 && interrupt.abort(reason), 1);
    await expect(reading).rejects.toBe(reason);
    clearInterval(look);
  });
});

function latin(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

describe("text that is not UTF-8", () => {
  test.each([
    ["a.jsonl", latin('{"input":"a","target":"b"}\n{"input":"caf\xe9","target":"b"}\n'), "a.jsonl:2: "],
    ["a.json", latin('[{"input":"a","target":"b"},\n\n{"input":"caf\xe9","target":"b"}]'), "a.json:3: "],
    ["a.csv", latin('input,target\n"a\n",b\ncaf\xe9,b\n'), "a.csv:4: "],
  ])("in %s is refused at its line", async (name, bytes, where) => {
    expect(await fault(name, bytes)).toBe(`${where}expected text in UTF-8, found other bytes; save the file as UTF-8`);
  });

  test("in a parquet file is refused", async () => {
    const bytes = Buffer.from(parquet({ input: ["cafe"], target: ["x"] }));
    for (let at = bytes.indexOf("cafe"); at >= 0; at = bytes.indexOf("cafe")) bytes.set([0xe9], at + 3);
    expect(await fault("a.parquet", bytes)).toMatch(/^a\.parquet: cannot read it as parquet: .*not valid.*utf-8/i);
  });

  test("may be UTF-16 with its mark in a CSV file", async () => {
    const text = "input,target\ncafé,東\n";
    const [row] = await read("a.csv", text);
    expect(await read("b.csv", Buffer.from(`\uFEFF${text}`, "utf16le"))).toEqual([row]);
  });
});
