import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import { readJournal } from "../src/journal/journal.ts";
import type { RecordPayloads, RecordType } from "../src/journal/records.ts";
import { located } from "../src/run/recorded/told-places.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { type TinyModel, writeTinyModel } from "./tiny-model.ts";

/** That of all its models. */
export const tokenizer = join(import.meta.dirname, "fixtures", "tasks", "tokenizers", "byte-level");

/** Experts by the seed of their noise: such that a merge beats each of them and the base. */
const EXPERTS = { nature: 16, craft: 17 } as const;

export interface TinyExperiment {
  /** Keys of the experiment file to add or replace. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** Shape of base and experts. */
  readonly model?: TinyModel;
}

/**
 * Writes a base, two experts, rows of a choice task (`quiz`) and of a text task (`news`) and an experiment file into a
 * folder: two generations of four candidates and their mean, a fraction of a second. Returns the path of the file.
 */
export async function writeTinyExperiment(folder: string, { file, model }: TinyExperiment = {}): Promise<string> {
  const shared: TinyModel = { tokenizer, ...model };
  await writeTinyModel(join(folder, "base"), shared);
  for (const [name, seed] of Object.entries(EXPERTS)) {
    await writeTinyModel(join(folder, name), { ...shared, perturbed: { seed, by: 0.1 } });
  }
  await mkdir(join(folder, "rows"), { recursive: true });
  await writeRows(join(folder, "rows", "quiz.jsonl"), quizRows("search", 16));
  await writeRows(join(folder, "rows", "quiz.guard.jsonl"), quizRows("guard", 8));
  await writeRows(join(folder, "rows", "news.jsonl"), newsRows("search", 8));
  await writeRows(join(folder, "rows", "news.guard.jsonl"), newsRows("guard", 6));
  const path = join(folder, "tiny.yaml");
  // JSON is YAML.
  await writeFile(path, JSON.stringify({ ...fields, ...file }, null, 2));
  return path;
}

/** An experiment of `writeTinyExperiment` as the library takes it. */
export async function tinyExperiment(folder: string, options: TinyExperiment = {}): Promise<Experiment> {
  return loadExperiment(await writeTinyExperiment(folder, options));
}

/** Writes rows as JSON lines. */
export async function writeRows(path: string, rows: readonly object[]): Promise<void> {
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** What a run leaves in its journal and its side file, except times and where it is. */
export function traces(run: string): { readonly records: readonly object[]; readonly numbers: string } {
  const { records } = readJournal(run);
  return {
    records: records.map((record) => ({
      ...untimed(record),
      ...(record.type === "start" && {
        folder: undefined,
        experiment: located([{ experiment: record.experiment as Experiment, folder: record.folder }], run),
      }),
    })),
    numbers: readFileSync(join(run, "numbers.bin"), "hex"),
  };
}

/** A record without the times in it, and without what is expected from them. */
export function untimed(record: object): object {
  const times = ["began", "elapsedMs", "time", "firstTime", "baselinesMs", "generationMs", "finishMs", "wholeMs"];
  return { ...record, ...Object.fromEntries(times.map((name) => [name, undefined])) };
}

/** All records of one type in a run's journal. */
export function recorded<Type extends RecordType>(run: string, type: Type): RecordPayloads[Type][] {
  const { records } = readJournal(run);
  return records.filter((record) => record.type === type) as unknown as RecordPayloads[Type][];
}

const fields = {
  base: "base",
  experts: Object.keys(EXPERTS),
  space: { method: "task_arithmetic", groups: [["attention"], ["mlp", "norm", "embedding"]], depth: { dct: 2 } },
  tasks: {
    quiz: { rows: "rows/quiz.jsonl", guard: "rows/quiz.guard.jsonl" },
    news: { rows: "rows/news.jsonl", guard: "rows/news.guard.jsonl" },
  },
  search: { algorithm: "cma-es", population: 4, rowFraction: 0.5 },
  budget: { evaluations: 10 },
  precision: "f32",
};

const ANIMALS = ["fox", "crow", "mole", "hare", "trout", "wasp", "toad", "goat"] as const;
const PLACES = ["forest", "river", "cave", "field", "barn", "town"] as const;

/** Rows of four answers, each about a passage of its own. */
export function quizRows(side: string, count: number): object[] {
  return Array.from({ length: count }, (_, i) => {
    const stream = RandomStream.of(7, "quiz", side, i);
    const [animal] = stream.sample(ANIMALS, 1);
    const places = stream.sample(PLACES, 4);
    const label = stream.integer(4);
    const input = `${side} ${i}: a ${animal} left the ${places[label]}.\nQuestion: Where?\nAnswer:`;
    return { input, target: places[label], answer_choices: places, label };
  });
}

/** Rows of one text each. */
export function newsRows(side: string, count: number): object[] {
  return Array.from({ length: count }, (_, i) => {
    const stream = RandomStream.of(7, "news", side, i);
    const [animal, other] = stream.sample(ANIMALS, 2);
    const [place] = stream.sample(PLACES, 1);
    return {
      input: `${side} ${i}: a ${animal} met a ${other}. Summary:`,
      target: `Two met in a ${place}.`,
    };
  });
}
