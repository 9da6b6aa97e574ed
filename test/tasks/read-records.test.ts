import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { parquetRecords } from "../../src/tasks/parquet-records.ts";
import { parquetTable } from "../../src/tasks/parquet-table.ts";
import { rowColumns } from "../../src/tasks/row-formats.ts";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";
import { endlessRun, fault, parquet, read } from "./row-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const fixtures = new URL("../fixtures/tasks/parquet/", import.meta.url).pathname;
const choice = await readRows(join(fixtures, "rows.jsonl"));

async function labels(csv: string): Promise<number[]> {
  return (await read("rows.csv", csv)).map(({ label }) => label);
}

function asPythonList(choices: readonly string[]): string {
  return `[${choices.map((choice) => (choice.includes("'") ? JSON.stringify(choice) : `'${choice}'`)).join(", ")}]`;
}

/** Rows in the columns of the competition. */
function table(rows: readonly TaskRow[]): string[][] {
  return rows.map(({ kind, context, continuations, label }, id) => {
    const answers = continuations.map((continuation) => continuation.slice(1));
    return kind === "choice"
      ? [String(id), context, String(label), asPythonList(answers), "multiple_choice"]
      : [String(id), context, answers[0]!, "None", "generation"];
  });
}

describe("CSV", () => {
  const header = "id,input,target,answer_choices,eval_type\n";

  test("of choice rows gives the rows of the JSON lines: labels as text, lists of Python, lines within fields", async () => {
    expect(await read("rows.csv", header + stringify(table(choice)))).toEqual(choice);
  });

  test("of text rows gives the rows of the JSON lines, whether an absent list is None or empty", async () => {
    const text = await readRows(new URL("../fixtures/tasks/rows/text.jsonl", import.meta.url).pathname);
    expect(await read("rows.csv", header + stringify(table(text)))).toEqual(text);
    expect(await read("rows.csv", header + stringify(table(text)).replaceAll("None", ""))).toEqual(text);
  });

  test("may have a byte order mark, Windows line ends, blank lines and the right answer beside its label", async () => {
    const [row] = await read(
      "a.csv",
      `\uFEFFinput,target,answer_choices,label\r\n\r\nWhy?,no,"['yes', 'no']",1\r\n\r\n`,
    );
    expect(row).toMatchObject({ context: "Why?", continuations: [" yes", " no"], label: 1 });
  });

  test("takes a number for a label where the row says so, else for an answer that reads like it", async () => {
    const list = `"['2', '1', '0']"`;
    expect(await labels(`${header}1,x,2,${list},multiple_choice\n`)).toEqual([2]);
    expect(await labels(`input,target,answer_choices\nx,2,${list}\nx,1,"['yes', 'no']"\n`)).toEqual([0, 1]);
  });

  test.each([
    [
      "rows of both kinds, at the line where the second begins",
      `${header}1,"a\n\nb",0,"['x', 'y']",multiple_choice\n\n2,"c\nd",e,None,generation\n`,
      "rows.csv:6: expected choice rows as above, found one of text",
    ],
    [
      "a label that is none",
      `${header}1,a,4,"['x', 'y']",multiple_choice\n`,
      "rows.csv:2: target: expected one of the 2 answers",
    ],
    ["a list that is none", `${header}1,a,0,x,multiple_choice\n`, "rows.csv:2: answer_choices: Invalid input"],
    [
      "rows without labels",
      "id,input,eval_type,answer_choices\n1,a,generation,None\n",
      "rows.csv:2: found no labels: expected the right answer as target, found only id, input, eval_type, answer_choices; ",
    ],
    ["other columns", "prompt,\u001B[2J\n1,2\n", "rows.csv:2: expected the keys question, choices, answer (MMLU); or "],
    ["a quote without end", 'input,target\n"a,b\n', "rows.csv: expected CSV with a header: Quote Not Closed"],
    [
      "a row that is too short",
      "input,target\na,b\nc\n",
      "rows.csv: expected CSV with a header: Invalid Record Length",
    ],
    ["a header alone", header, "rows.csv: expected rows, found none; give JSON lines, CSV with a header, or parquet"],
    ["nothing", "", "rows.csv: expected rows, found none; give JSON lines, CSV with a header, or parquet"],
  ])("refuses %s", async (_, content, message) => {
    const found = await fault("rows.csv", content);
    expect(found).toContain(message);
    expect(found).not.toContain("\u001B");
  });
});

test("CSV and parquet name groups as JSON lines do, as texts or numbers, and some rows none", async () => {
  const inputs = ["One.", "Two.", "Three."];
  const groups = ["7", "7", ""];
  const lines = inputs.map((input, i) => JSON.stringify({ input, target: "x", group: groups[i] }));
  const expected = await read("rows.jsonl", lines.join("\n"));
  expect(expected.map(({ group, passage }) => group === passage)).toEqual([false, false, true]);
  expect(expected[1]!.group).toBe(expected[0]!.group);
  const csv = inputs.map((input, i) => `${input},x,${groups[i]}\n`).join("");
  expect(await read("rows.csv", `input,target,group\n${csv}`)).toEqual(expected);
  const columnData = [
    { name: "input", data: inputs, type: "STRING" as const },
    { name: "target", data: ["x", "x", "x"], type: "STRING" as const },
    { name: "group", data: [7n, 7n, null], type: "INT64" as const },
  ];
  expect(await read("rows.parquet", new Uint8Array(parquetWriteBuffer({ columnData })))).toEqual(expected);
});

describe("parquet", () => {
  test.each(["none", "snappy", "gzip", "zstd", "brotli", "lz4"])(
    "in the compression %s gives the rows of the JSON lines",
    async (compression) => {
      expect(await readRows(join(fixtures, `${compression}.parquet`))).toEqual(choice);
    },
  );

  test("of text rows gives the rows of the JSON lines; other columns and absent lists are passed over", async () => {
    const text = await readRows(new URL("../fixtures/tasks/rows/text.jsonl", import.meta.url).pathname);
    const columnData = [
      { name: "id", data: text.map((_, i) => BigInt(i)) },
      { name: "input", data: text.map(({ context }) => context) },
      { name: "target", data: text.map(({ continuations }) => continuations[0]!.slice(1)) },
      { name: "answer_choices", data: text.map(() => null), type: "STRING" as const },
    ];
    expect(await read("rows.parquet", new Uint8Array(parquetWriteBuffer({ columnData })))).toEqual(text);
  });

  test.each([
    ["an empty target", parquet({ input: ["a", "b", "c"], target: ["x", "y", ""] }), "rows.parquet: row 3: target: "],
    ["rows without labels", parquet({ input: ["a"] }), "rows.parquet: row 1: found no labels: "],
    ["other columns", parquet({ text: ["a", "b"] }), /rows.parquet: row 1: expected the keys .*; found text/],
    [
      "no rows",
      parquet({ input: [], target: [] }),
      "rows.parquet: expected rows, found none; give JSON lines, CSV with a header, or parquet",
    ],
    ["another kind of file", Buffer.from("input,target\na,b\n"), "rows.parquet: cannot read it as parquet: "],
    ["an empty file", Buffer.alloc(0), "rows.parquet: cannot read it as parquet: "],
  ])("refuses %s", async (_, content, message) => {
    expect(await fault("rows.parquet", content)).toMatch(message);
  });

  test("whose metadata counts rows that are not there is refused", async () => {
    const bytes = Buffer.from(parquet({ input: ["a", "b"], target: ["x", "y"] }));
    // The count of a group: field 3, an i64, after the total size and the columns.
    const metadata = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const counts = [...bytes.keys()].filter((i) => i > metadata && bytes[i] === 0x16 && bytes[i + 1] === 4);
    for (const at of counts) bytes[at + 1] = 0x7e;
    expect(await fault("rows.parquet", bytes)).toMatch(/expected 63 values of the column input, found 2/);
  });

  test("with any byte changed is read or refused, and never ends the process", async () => {
    const whole = await readFile(join(fixtures, "snappy.parquet"));
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at]! + 1 + at) % 256;
      // In this process, since another one for each would take a second.
      const outcome: unknown = await parquetTable("rows.parquet", bytes, rowColumns).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toMatchObject({ name: "UserError" });
      else expect(outcome).toMatchObject({ values: expect.any(Map) });
    }
  });

  test("of more rows than anyone scores is refused", async () => {
    const data = Array<string>(1_100_000).fill("a");
    expect(await fault("rows.parquet", parquet({ input: data, target: data }, data.length))).toMatch(
      /: expected at most 1,000,000 rows, found more; give a file of a part of them$/,
    );
  });

  test("in which one long text stands for every row is refused before they are made", async () => {
    const data = Array.from({ length: 600 }, () => "a".repeat(500_000));
    expect(await fault("rows.parquet", parquet({ input: data, target: data }, 600))).toMatch(
      /: expected at most 256 MiB of text, found more; give a file of a part of its rows$/,
    );
  });

  test("that expands without end brings its own process to its end, and no other", async () => {
    // A run of 2^30 levels where two are expected.
    const bytes = endlessRun();
    const found = await fault("rows.parquet", bytes);
    // From Node 24 on an array does not grow that far.
    expect(found).toMatch(
      /: cannot read it as parquet: (its process ended \(.*\); it may need more than 2048 MB of memory|Invalid array length)$/,
    );
  });

  test("that takes too long is refused", async () => {
    const path = join(await temporaryFolder(), "rows.parquet");
    await writeFile(path, endlessRun());
    const file = { what: "rows", maxBytes: 1e6 };
    await expect(parquetRecords(path, file, rowColumns, { patienceMs: 1 })).rejects.toThrow(
      /: it takes more than 0\.001 s$/,
    );
  });
});

test("rows of a CSV file are at their lines also behind its first pieces, wherever those end", async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `"é${i}\n",東\n`);
  const content = `input,target\n${lines.join("")}x,\n`;
  expect((await read("a.csv", `input,target\n${lines.join("")}`)).map(({ context }) => context)).toEqual(
    lines.map((_, i) => `é${i}\n`),
  );
  expect(await fault("a.csv", content)).toMatch(/^a\.csv:120002: target: /);
});

describe("JSON", () => {
  const text = { input: "An article.", target: "Short." };

  test("may be one array where the extension is .json, or lines", async () => {
    const [row] = await read("a.jsonl", JSON.stringify(text));
    expect(await read("a.json", `\uFEFF\n${JSON.stringify([text, text], null, 2)}\n`)).toEqual([row, row]);
    expect(await read("a.json", `${JSON.stringify(text)}\n${JSON.stringify(text)}\n`)).toEqual([row, row]);
  });

  test.each([
    ["a broken array", "[{}", "a.json: expected an array of JSON objects: "],
    ["an array of others", JSON.stringify([text, 1]), "a.json: row 2: expected a JSON object, found 1"],
    ["a fault within", JSON.stringify([text, { ...text, target: "" }]), "a.json: row 2: target: expected some text"],
    ["an empty array", "[]", "a.json: expected rows, found none; give JSON lines, CSV with a header, or parquet"],
  ])("refuses %s", async (_, content, message) => {
    expect(await fault("a.json", content)).toContain(message);
  });
});

test("columns of any name are passed over, whatever the format", async () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const [expected] = await read("a.jsonl", JSON.stringify({ input: "An article.", target: "Short." }));
  const columns = [...names, "input", "target"];
  const values = [...names.map(() => "x"), "An article.", "Short."];
  const json = `{${columns.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(values[i])}`).join(",")}}`;
  expect(await read("b.jsonl", json)).toEqual([expected]);
  expect(await read("b.json", `[${json}]`)).toEqual([expected]);
  expect(await read("b.csv", stringify([columns, values]))).toEqual([expected]);
  const lists = Object.fromEntries(columns.map((name, i) => [name, [values[i]!]]));
  expect(await read("b.parquet", parquet(lists))).toEqual([expected]);
  // A row's own text does not come from another's prototype.
  expect(await fault("c.jsonl", '{"__proto__": {"input": "An article.", "target": "Short."}}')).toContain(
    "or input, target (text); found __proto__",
  );
});

test("a file of more than 1 GiB is refused unread, whatever its format", async () => {
  const path = join(await temporaryFolder(), "rows.parquet");
  await writeFile(path, "");
  await truncate(path, 2 ** 30 + 1);
  await expect(readRows(path)).rejects.toThrow(
    /rows\.parquet: expected a file of rows, found more than 1 GiB; give a part of it$/,
  );
});

describe("more rows than anyone scores", () => {
  const most = /: expected at most 1,000,000 rows, found more; give a file of a part of them$/;

  test.each([
    ["rows.csv", "input,target\n", "a,b\n"],
    ["rows.jsonl", "", '{"input":"a","target":"b"}\n'],
  ])("in %s are refused", async (name, header, row) => {
    expect(await fault(name, header + row.repeat(1_000_001))).toMatch(most);
  });
});

describe("text that would take far more memory than its size", () => {
  test.each([
    ["a.csv", ",".repeat(20_000_000), /: more than 1000 columns$/],
    ["a.csv", `"${"a".repeat(20_000_000)}`, /: Max Record Size: /],
    ["a.csv", `${",".repeat(1000)}\n`.repeat(100_000), /: more than 1000 columns$/],
    ["a.jsonl", "[".repeat(20_000_000), /:1: expected a JSON object on one line: found nested more than 100 deep$/],
    ["a.jsonl", "\n".repeat(100_000_000), /: expected rows, found none/],
    ["a.json", `[${"{},".repeat(20_000_000)}{}]`, /: found more than 10000000 values$/],
  ])("in %s is refused", async (name, content, message) => {
    expect(await fault(name, content)).toMatch(message);
  });
});
