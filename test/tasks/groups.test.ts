import { expect, test } from "vitest";
import { groupsOf } from "../../src/tasks/groups.ts";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";
import { splitTasks } from "../../src/tasks/split.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeRows } from "../tiny-experiment.ts";

const instruction = "Read the question below with care and pick the one answer that fits it best.";
const animals = ["rat", "seal", "raven", "gecko", "fox", "owl", "hare", "mole", "toad", "wren"];

/** Two questions on each animal. */
function questions(inputOf: (animal: string, i: number) => string, count = 20): object[] {
  return Array.from({ length: count }, (_, i) => ({
    input: inputOf(animals[i % animals.length]!, i),
    target: "no",
    answer_choices: ["yes", "no"],
    label: 1,
  }));
}

function asked(animal: string, i: number): string {
  return `A ${animal} lived in the forest and ate nothing but berries all winter.\nQuestion: what ${i}?\nAnswer:`;
}

async function read(rows: readonly object[]): Promise<TaskRow[]> {
  const path = `${await temporaryFolder()}/rows.jsonl`;
  await writeRows(path, rows);
  return readRows(path);
}

/** How many groups there are, and what was said. */
function seen(...tasks: readonly (readonly TaskRow[])[]): { readonly count: number; readonly notices: string[] } {
  const notices: string[] = [];
  const groupOf = groupsOf(
    tasks.map((rows) => ({ file: "rows.jsonl", rows })),
    (text) => notices.push(text),
  );
  return { count: new Set(tasks.flat().map(groupOf)).size, notices };
}

test("an instruction that most rows begin with is no passage, which is said", async () => {
  const rows = await read(questions((animal) => `${instruction}\nWhat does the ${animal} fear?\nAnswer:`));
  expect(new Set(rows.map(({ passage }) => passage)).size).toBe(1);
  expect(seen(rows)).toEqual({
    count: 10,
    notices: [
      'rows.jsonl: 20 of 20 rows begin with "Read the question below with care and pick the one answer...", which is taken for an instruction and not for what they are about; where they are about one thing, say so in a column group',
    ],
  });
  const [split] = splitTasks([{ file: "rows.jsonl", rows }], { seed: 1 });
  expect([split!.search.length, split!.guard.length]).toEqual([14, 6]);
});

test("rows of which some have a question longer than the instruction are not half of them one group", async () => {
  const tail = "that is said to go on for a good while, so that its line is longer than any other".repeat(2);
  const rows = await read(
    questions((animal, i) => `${instruction}\nWhat does the ${animal}${i < 10 ? "" : ` ${tail}`} fear?\nAnswer:`),
  );
  expect(seen(rows).count).toBe(20);
});

test("an instruction of several lines leaves the passages behind it as they are", async () => {
  const [plain, under] = [
    await read(questions(asked)),
    await read(questions((animal, i) => `Read this.\n\n${asked(animal, i)}`)),
  ];
  expect(seen(plain)).toEqual({ count: 10, notices: [] });
  expect(seen(under).count).toBe(10);
  expect(seen(plain, under).count).toBe(10);
});

test("articles under one instruction are as many as there are", async () => {
  const order = `Summarize the following article in one sentence, and be as faithful to it as possible, please. ${instruction}`;
  const rows = await read(
    animals
      .concat(animals)
      .map((animal, i) => ({ input: `${order}\nArticle: A ${animal} ${i}.\nSummary:`, target: "no" })),
  );
  expect(seen(rows).count).toBe(20);
});

test("a passage with ten questions is one, though all rows of a small file are about it", async () => {
  const passage = "A fox lived in the forest and ate nothing but berries all winter long, and then it slept.";
  const rows = await read(questions((_, i) => `${passage}\nWhat ${i}?`, 10));
  expect(seen(rows)).toEqual({ count: 1, notices: [] });
});

test("named groups are not looked into", async () => {
  const rows = await read(
    questions((animal) => `${instruction}\nWhat does the ${animal} fear?`).map((row, i) => ({ ...row, group: i >> 2 })),
  );
  // Every row is there twice, ten rows apart, and so joins two named groups.
  expect(seen(rows).notices).toEqual([]);
  const apart = rows.map((row, i) => ({ ...row, id: `${i}` }));
  expect(seen(apart)).toEqual({ count: 5, notices: [] });
});
