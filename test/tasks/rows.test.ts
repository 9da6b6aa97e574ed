import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { RowOptions } from "../../src/tasks/row-formats.ts";
import { readRows, rowsDigest, type TaskRow } from "../../src/tasks/rows.ts";

const fixtures = new URL("../fixtures/tasks/", import.meta.url).pathname;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rows-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(lines: readonly (object | string)[], options?: RowOptions): Promise<TaskRow[]> {
  const path = join(folder, "rows.jsonl");
  await writeFile(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return readRows(path, options);
}

async function fault(lines: readonly (object | string)[], options?: RowOptions): Promise<string> {
  const error: unknown = await read(lines, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replace(`${folder}/`, "");
}

const choice = { input: "A passage .\nQuestion: why ?", target: "no", answer_choices: ["yes", "no"], label: 1 };
const choiceOf = (input: string): object => Object.assign({}, choice, { input });
const text = { input: "An article. A summary is", target: "Short." };
const mmlu = { question: "Which?", subject: "high_school_world_history", choices: ["w", "x", "y", "z"], answer: 2 };

describe("readRows", () => {
  test.each([
    ["choice", "choice.jsonl", {}],
    ["text", "text.jsonl", {}],
    ["mmlu", "mmlu.jsonl", { format: "mmlu" }],
    ["mmlu_continuation", "mmlu.jsonl", { format: "mmlu_continuation" }],
  ] as const)("asks what lm_eval asks: %s", async (name, file, options) => {
    const { prompts } = JSON.parse(await readFile(join(fixtures, "lm-eval.json"), "utf8"));
    const rows = await readRows(join(fixtures, "rows", file), options);
    expect(rows.map((row) => row.continuations.map((continuation) => [row.context, continuation]))).toEqual(
      prompts[name],
    );
  });

  test("reads choice rows", async () => {
    const [row] = await read([choice]);
    expect(row).toMatchObject({ kind: "choice", context: choice.input, continuations: [" yes", " no"], label: 1 });
    expect(row?.id).toMatch(/^[0-9a-f]{16}$/);
  });

  test("tells rows apart by every part of what they say", async () => {
    const variants = [
      choice,
      { ...choice, input: `${choice.input} ` },
      { ...choice, answer_choices: ["maybe", "no"] },
      { ...choice, answer_choices: ["no", "yes"], label: 0 },
      { ...choice, target: "yes", label: 0 },
    ];
    expect(new Set((await read(variants)).map(({ id }) => id)).size).toBe(5);
  });

  test("reads choices saved as a Python list, and the label as target", async () => {
    const variants = [
      { ...choice, answer_choices: "['yes', 'no']" },
      { input: choice.input, target: 1, answer_choices: `["yes", 'no']` },
      { input: choice.input, target: "no", answer_choices: ["yes", "no"] },
    ];
    const [expected] = await read([choice]);
    expect(await read(variants)).toEqual([expected, expected, expected]);
  });

  test("leaves the description out where it is not wanted or the subject is not known", async () => {
    const [bare] = await read([mmlu], { format: "mmlu_continuation", description: false });
    expect(bare?.context).toBe("Question: Which?\nAnswer:");
    const { subject: _, ...unnamed } = mmlu;
    expect(await read([unnamed], { format: "mmlu_continuation" })).toEqual([bare]);
  });

  test("describes a subject of several words", async () => {
    const [row] = await read([mmlu]);
    expect(row?.context).toMatch(
      /^The following are multiple choice questions \(with answers\) about high school world history\.\n\n/,
    );
  });

  test("puts rows about one CosmosQA passage in one group, whatever the template", async () => {
    const passage = "A fox lived in the forest and ate nothing but berries all winter long .";
    const question = "What did it eat ?";
    const inputs = [
      `${passage}\nAccording to the above context, choose the best option to answer the following question.\nQuestion: ${question}\nOptions:\nA. x`,
      `${passage}\nAccording to the above context, answer the following question.\n${question}`,
      `${passage}\n${question}\nPick the best answer from the following options:\nA. x`,
      `${passage}\n${question}\n- x\n - y`,
      `Read the following context and answer the question.\nContext: ${passage}\nQuestion: ${question}\nAnswer:`,
    ];
    const rows = await read(inputs.map(choiceOf));
    expect(new Set(rows.map(({ group }) => group)).size).toBe(1);
  });

  test("does not take a short first line that many rows share for a passage", async () => {
    const inputs = [
      "Answer yes or no.\nIs a long statement true?\nAnswer:",
      "Answer yes or no.\nIs another statement true?\nAnswer:",
    ];
    const [a, b] = await read(inputs.map(choiceOf));
    expect(a?.group).not.toBe(b?.group);
  });

  test("puts rows of one named group in one group, whatever their passages, and keeps those as well", async () => {
    const inputs = [
      "A fox ate.\nQuestion: what ?",
      "The fox slept.\nQuestion: what ?",
      "An owl ate.\nQuestion: what ?",
    ];
    const [a, b, c, unnamed] = await read([
      { ...choiceOf(inputs[0]!), group: "fox" },
      { ...choiceOf(inputs[1]!), group: "fox" },
      { ...choiceOf(inputs[2]!), group: 3 },
      choiceOf(inputs[0]!),
    ]);
    expect(b!.group).toBe(a!.group);
    expect(new Set([a, b, c, unnamed].map((row) => row!.group)).size).toBe(3);
    expect(new Set([a, b, c].map((row) => row!.passage)).size).toBe(3);
    expect(unnamed).toMatchObject({ passage: a!.passage, group: a!.passage, id: a!.id });
    for (const group of [null, "", " "]) expect(await read([{ ...choiceOf(inputs[0]!), group }])).toEqual([unnamed]);
  });

  test("knows a passage under a question and under a word that asks for a summary, however it is spaced", async () => {
    const [asked] = await read([choiceOf("Article: A fox  ate.\nQuestion: what ?\nAnswer:")]);
    const [told] = await read([{ ...text, input: "Article: A fox ate. \nSummary:" }]);
    expect(told!.passage).toBe(asked!.passage);
  });

  test("skips blank lines and accepts a byte order mark, Windows line ends and repeated rows", async () => {
    const rows = await read([`\uFEFF${JSON.stringify(text)}\r`, "", `${JSON.stringify(text)}\r`, ""]);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual(rows[1]);
  });

  test.each([
    ["no rows", [""], "rows.jsonl: expected rows, found none; give JSON lines, CSV with a header, or parquet"],
    ["broken JSON", [text, "{"], "rows.jsonl:2: expected a JSON object on one line: "],
    ["no object", ["[1]"], "rows.jsonl:1: expected a JSON object, found [1]"],
    ["unknown keys", [{ prompt: "x" }], "rows.jsonl:1: expected the keys question, choices, answer (MMLU); or "],
    ["two formats", [text, "", choice], "rows.jsonl:3: expected text rows as above, found one of choice"],
    [
      "one choice",
      [{ ...choice, answer_choices: ["no"] }],
      "rows.jsonl:1: answer_choices: expected at least two answers",
    ],
    [
      "an empty choice",
      [{ ...choice, answer_choices: ["no", ""] }],
      "rows.jsonl:1: answer_choices.1: expected some text",
    ],
    ["no list", [{ ...choice, answer_choices: "None" }], "rows.jsonl:1: answer_choices: "],
    ["label too large", [{ ...choice, label: 2 }], "rows.jsonl:1: label: expected 0 to 1, found 2"],
    ["label negative", [{ ...choice, label: -1 }], "rows.jsonl:1: label: expected 0 to 1, found -1"],
    [
      "label and target differ",
      [{ ...choice, label: 0 }],
      'rows.jsonl:1: target: expected "yes", the answer of label 0, found "no"',
    ],
    [
      "label and numeric target differ",
      [{ ...choice, target: 0 }],
      'rows.jsonl:1: target: expected "no", the answer of label 1, found 0',
    ],
    [
      "target unknown",
      [{ ...choice, label: undefined, target: "?" }],
      "rows.jsonl:1: target: expected one of the 2 answers",
    ],
    ["empty target", [text, { ...text, target: "" }], "rows.jsonl:2: target: expected some text, found none"],
    [
      "a group that is no name",
      [{ ...text, group: ["a"] }],
      "rows.jsonl:1: group: expected the name or number of a group",
    ],
    ...[1e30, 0.5, true].map((group): [string, object[], string] => [
      `the group ${group}`,
      [{ ...text, group }],
      "rows.jsonl:1: group: expected the name or number of a group",
    ]),
    ["a label that is no number of an answer", [{ ...choice, label: 1e30 }], "label: expected the number of an answer"],
    ["a target that is none", [{ ...choice, target: 1e30 }], "target: expected the right answer or its number"],
    ["blank input", [{ ...text, input: " \n" }], "rows.jsonl:1: input: expected some text, found none"],
    ["answer too large", [{ ...mmlu, answer: 4 }], "rows.jsonl:1: answer: expected 0 to 3, found 4"],
    [
      "three lettered choices",
      [{ ...mmlu, choices: ["a", "b", "c"] }],
      "rows.jsonl:1: choices: expected four choices; ",
    ],
  ])("refuses %s", async (_, lines, message) => {
    expect(await fault(lines)).toContain(message);
  });

  test("reads several files one after another, each by its extension, all of one format", async () => {
    const files = ["a.jsonl", "b.csv", "c.jsonl"].map((name) => join(folder, name));
    await writeFile(files[0]!, JSON.stringify(text));
    await writeFile(files[1]!, "input,target\nAnother article.,Long.\n");
    await writeFile(files[2]!, JSON.stringify(choice));
    const rows = await readRows(files.slice(0, 2));
    expect(rows.map(({ context }) => context)).toEqual([text.input, "Another article."]);
    await expect(readRows(files)).rejects.toThrow(/c\.jsonl:1: expected text rows as above, found one of choice/);
    await expect(readRows(files.slice(0, 2), { format: "mmlu" })).rejects.toThrow(
      /a\.jsonl and 1 more: the format mmlu/,
    );
  });

  test.each([
    ["choices", { input: "x", answer_choices: ["a", "b"] }, "target"],
    ["texts", { input: "x", target: null, eval_type: "generation" }, "target"],
    ["MMLU", { question: "x", choices: ["a", "b", "c", "d"] }, "answer"],
  ])("says that rows have no labels: %s", async (_, row, key) => {
    expect(await fault([row])).toContain(`rows.jsonl:1: found no labels: expected the right answer as ${key}`);
  });

  test("refuses a format for rows that have no choice of it, and a missing file", async () => {
    expect(await fault([text], { format: "mmlu" })).toContain("the format mmlu needs MMLU rows, found text rows");
    await expect(readRows(join(folder, "absent.jsonl"))).rejects.toThrow(
      /absent\.jsonl: no such file or directory; expected a file of rows$/,
    );
  });
});

describe("rowsDigest", () => {
  test("depends on what the rows say, on their groups and on their order, not on the file", async () => {
    const other = { ...text, target: "Other." };
    const digest = rowsDigest(await read([text, other]));
    expect(rowsDigest(await read([{ note: 1, ...text }, "", other]))).toBe(digest);
    expect(rowsDigest(await read([other, text]))).not.toBe(digest);
    expect(rowsDigest(await read([{ ...text, group: "fox" }, other]))).not.toBe(digest);
    expect(rowsDigest(await read([text, { ...other, target: "Else." }]))).not.toBe(digest);
  });
});
