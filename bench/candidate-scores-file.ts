import { readFile } from "node:fs/promises";
import type { TaskRow } from "../src/tasks/rows.ts";
import type { Answers } from "./loss-formulas.ts";

/** The first line of a file of scores: its rows, and the tokens of each answer. */
export type ScoredRows = (Pick<TaskRow, "id" | "group" | "kind" | "continuations" | "label"> & {
  readonly tokens: readonly number[];
})[];

/** Every other line: log-likelihoods of one candidate, by row and answer. */
export interface CandidateScores {
  readonly name: string;
  readonly logLikelihoods: readonly (readonly number[])[];
}

/** One choice row under every candidate. */
export interface ChoiceScores {
  readonly group: string;
  readonly isLettered: boolean;
  readonly answers: readonly Answers[];
}

/** The choice rows of a file of scores. */
export async function readChoiceScores(file: string): Promise<ChoiceScores[]> {
  const [first = "", ...others] = (await readFile(file, "utf8")).trim().split("\n");
  const candidates = others.map((line) => JSON.parse(line) as CandidateScores);
  return (JSON.parse(first) as ScoredRows).flatMap(({ kind, group, continuations, tokens, label }, row) => {
    if (kind === "text") return [];
    const characters = continuations.map((answer) => Array.from(answer).length - 1);
    const isLettered = characters.every((length) => length === 1);
    const answers = candidates.map(({ logLikelihoods }) => ({
      logLikelihoods: logLikelihoods[row]!,
      characters,
      tokens,
      label,
    }));
    return { group, isLettered, answers };
  });
}
