import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { quizRows, writeRows, writeTinyExperiment } from "../tiny-experiment.ts";

const examples = join(import.meta.dirname, "..", "..", "experiments", "plugins");

/** Votes on the answers of quiz rows: most for the right one. */
function voteRows(side: string, count: number): object[] {
  return quizRows(side, count).map((row) => {
    const { input, answer_choices: answers, label } = row as { input: string; answer_choices: string[]; label: number };
    return { question: input, answers, votes: answers.map((_, i) => (i === label ? 5 : 1)) };
  });
}

/** A tiny experiment of the examples of a task and an optimizer; the path of its file. */
export async function writeExample(folder: string, file: object = {}): Promise<string> {
  const path = await writeTinyExperiment(folder, {
    file: {
      plugins: ["./annotators.mjs", "./coordinates.mjs"],
      tasks: { votes: { rows: "votes.jsonl", guard: "votes.guard.jsonl", format: "annotators/votes" } },
      search: { algorithm: "coordinates/search", rowFraction: 0.5 },
      budget: { evaluations: 18 },
      ...file,
    },
  });
  for (const name of ["annotators.mjs", "coordinates.mjs"]) await copyFile(join(examples, name), join(folder, name));
  await writeRows(join(folder, "votes.jsonl"), voteRows("search", 16));
  await writeRows(join(folder, "votes.guard.jsonl"), voteRows("guard", 8));
  return path;
}
