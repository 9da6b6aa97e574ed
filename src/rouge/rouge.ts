/**
 * ROUGE (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) as Google's rouge_score 0.1.2 computes it, with
 * which most results are published. npm's packages differ from it on most texts.
 * @module
 */
import { ComparedText } from "./common-subsequence.ts";
import { porterStem } from "./porter-stemmer.ts";

/** Each from 0 to 1. */
export interface RougeScore {
  readonly precision: number;
  readonly recall: number;
  readonly fmeasure: number;
}

/** By the names of rouge_score: common words, pairs of words, longest common subsequence of the texts and of their lines. */
export type RougeScores = Readonly<Record<"rouge1" | "rouge2" | "rougeL" | "rougeLsum", RougeScore>>;

export interface RougeOptions {
  /** Whether words count as the same where Porter's stemmer says so; false unless given, as in rouge_score. */
  readonly stem?: boolean | undefined;
}

/**
 * How much of the target a prediction has. Words are runs of a-z and 0-9 in lower case; only words of more than three letters
 * are stemmed. For `rougeLsum` each line is a sentence. Texts without words score 0.
 */
export function rouge(target: string, prediction: string, { stem = false }: RougeOptions = {}): RougeScores {
  const [wanted, found] = [wordsOf(target, stem), wordsOf(prediction, stem)];
  return {
    rouge1: sharedGrams(wanted, found, 1),
    rouge2: sharedGrams(wanted, found, 2),
    rougeL: scoreOf(new ComparedText(found).commonLength(wanted), wanted.length, found.length),
    rougeLsum: sharedLines(linesOf(target, stem), linesOf(prediction, stem)),
  };
}

function wordsOf(text: string, stem: boolean): readonly string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? words.map((word) => (word.length > 3 ? porterStem(word) : word)) : words;
}

function linesOf(text: string, stem: boolean): readonly (readonly string[])[] {
  return text.split("\n").map((line) => wordsOf(line, stem));
}

/** A sequence of words counts as often as it is in both. */
function sharedGrams(wanted: readonly string[], found: readonly string[], length: number): RougeScore {
  const grams = (words: readonly string[]): string[] =>
    Array.from({ length: Math.max(0, words.length - length + 1) }, (_, i) => words.slice(i, i + length).join(" "));
  const [ours, theirs] = [grams(wanted), grams(found)];
  const left = countsOf(theirs);
  const hits = ours.filter((gram) => takeOne(left, gram)).length;
  return scoreOf(hits, ours.length, theirs.length);
}

/**
 * Of each line of the target, the words that are in its longest common subsequence with any line of the prediction. As in
 * ROUGE 1.5.5 a word counts no more often than it is in either text.
 */
function sharedLines(wanted: readonly (readonly string[])[], found: readonly (readonly string[])[]): RougeScore {
  const [ours, theirs] = [countsOf(wanted.flat()), countsOf(found.flat())];
  const compared = linesByWord(found);
  let hits = 0;
  for (const line of wanted) {
    const common = commonToAny(line, compared);
    for (const [i, word] of line.entries()) {
      if (!common.has(i) || !ours.get(word) || !takeOne(theirs, word)) continue;
      takeOne(ours, word);
      hits += 1;
    }
  }
  return scoreOf(hits, wanted.flat().length, found.flat().length);
}

/** The lines that have a word, by that; of equal lines one is enough. */
function linesByWord(lines: readonly (readonly string[])[]): ReadonlyMap<string, readonly ComparedText[]> {
  const found = new Map<string, ComparedText[]>();
  for (const line of new Map(lines.map((words) => [words.join(" "), words])).values()) {
    const compared = new ComparedText(line);
    for (const word of new Set(line)) {
      const others = found.get(word);
      if (others) others.push(compared);
      else found.set(word, [compared]);
    }
  }
  return found;
}

/** The indices of the words that are in the longest common subsequence with one of the others. */
function commonToAny(line: readonly string[], byWord: ReturnType<typeof linesByWord>): ReadonlySet<number> {
  const common = new Set<number>();
  const met = new Set<ComparedText>();
  for (const [i, word] of line.entries()) {
    for (const other of byWord.get(word) ?? []) {
      if (common.has(i)) break;
      if (met.has(other)) continue;
      met.add(other);
      for (const index of other.commonIndices(line)) common.add(index);
    }
  }
  return common;
}

function countsOf(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Whether there was one more, which is taken. */
function takeOne(counts: Map<string, number>, value: string): boolean {
  const count = counts.get(value) ?? 0;
  if (count > 0) counts.set(value, count - 1);
  return count > 0;
}

function scoreOf(hits: number, wanted: number, found: number): RougeScore {
  const precision = hits / Math.max(found, 1);
  const recall = hits / Math.max(wanted, 1);
  const sum = precision + recall;
  return { precision, recall, fmeasure: sum > 0 ? (2 * precision * recall) / sum : 0 };
}
