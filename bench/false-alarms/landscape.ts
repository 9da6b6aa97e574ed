/**
 * A landscape on which no merge is better than another: experts are a base and noise, right answers are drawn at random, and
 * the models hardly prefer any answer, so that none gains by being unsure.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../src/files/atomic-file.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { writeTinyModel } from "../../test/tiny-model.ts";

const EXPERTS = ["one", "two", "three"] as const;
const TASKS = { first: 1, second: 2 } as const;
/** Facts of a task on each side. */
const FACTS = 40;
const tokenizer = join(import.meta.dirname, "..", "..", "test", "fixtures", "tasks", "tokenizers", "byte-level");

/** How rows share facts: how many ask for one, and whether they say so. */
export const kinds = {
  "independent rows": { rowsPerFact: 1, named: false },
  "3 rows of each fact, named by group": { rowsPerFact: 3, named: true },
  "3 rows of each fact, not named": { rowsPerFact: 3, named: false },
} as const;

export type KindName = keyof typeof kinds;

/** Answers of two tokens, the first of which is the same: answers of fewer tokens would be likelier in every model. */
const ANSWERS = "a c e f g h j k o p q r u v x y z 0 1 2 3 4 5 6 7 8 9".split(" ");

/** Rows of one side: each fact has a subject, four answers and a right one among them, drawn at random. */
function rows(stream: RandomStream, side: string, { rowsPerFact, named }: (typeof kinds)[KindName]): object[] {
  const word = (): string => stream.sample(ANSWERS, 4).join("");
  return Array.from({ length: FACTS }, (_, fact) => {
    const subject = word();
    const answer_choices = stream.sample(ANSWERS, 4);
    const label = stream.integer(4);
    return Array.from({ length: rowsPerFact }, () => ({
      input: `${side}: ${word()} saw ${subject}.\nQuestion: ${subject}?\nAnswer:`,
      target: answer_choices[label],
      answer_choices,
      label,
      ...(named && { group: `${side} ${fact}` }),
    }));
  }).flat();
}

async function writeRows(path: string, written: readonly object[]): Promise<void> {
  await writeFileAtomic(path, written.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** Writes models, rows and an experiment over them with these fields, and returns its path. */
export async function writeLandscape(folder: string, seed: number, kind: KindName, fields: object): Promise<string> {
  const shared = {
    tokenizer,
    seed,
    edit: (name: string, values: Float32Array): void => {
      if (name === "lm_head.weight") for (const i of values.keys()) values[i]! *= 0.02;
    },
  };
  await writeTinyModel(join(folder, "base"), shared);
  for (const [i, name] of EXPERTS.entries()) {
    await writeTinyModel(join(folder, name), { ...shared, perturbed: { seed: 10 * seed + i, by: 0.2 } });
  }
  await mkdir(join(folder, "rows"));
  for (const [task, number] of Object.entries(TASKS)) {
    const stream = RandomStream.of(seed, "rows", number);
    for (const side of ["search", "guard"]) {
      await writeRows(join(folder, "rows", `${task}.${side}.jsonl`), rows(stream, `${task} ${side}`, kinds[kind]));
    }
  }
  const path = join(folder, "null.yaml");
  const tasks = Object.keys(TASKS).map((task) => [
    task,
    { rows: `rows/${task}.search.jsonl`, guard: `rows/${task}.guard.jsonl` },
  ]);
  const experiment = {
    base: "base",
    experts: EXPERTS,
    tasks: Object.fromEntries(tasks) as object,
    precision: "f32",
    seed,
    ...fields,
  };
  // JSON is YAML.
  await writeFileAtomic(path, JSON.stringify(experiment));
  return path;
}
