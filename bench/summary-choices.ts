/**
 * Makes choice rows of summaries, on which a small language model is better than chance:
 *
 *     npx tsx bench/summary-choices.ts <xsum.jsonl> <count> > <rows.jsonl>
 *
 * The beginning of an article is followed by its summary or by one of three others: those that have the most words in common
 * with the article, so that answers are of different length and none is absurd. The shortest rows are taken.
 */
import { readFile } from "node:fs/promises";

const [file = "", count = "60"] = process.argv.slice(2);
const rows = (await readFile(file, "utf8"))
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { input: string; target: string });
const summaries = rows.map(({ target }) => ({ target, words: wordsOf(target) }));
const rarity = new Map<string, number>();
for (const { words } of summaries) for (const word of words) rarity.set(word, (rarity.get(word) ?? 0) + 1);

const choices = rows.map(({ input, target }, i) => {
  const article = wordsOf(input);
  const others = summaries
    .filter((_, j) => j !== i)
    .map((summary) => ({ ...summary, shared: sharedOf(summary.words, article) }))
    .toSorted((a, b) => b.shared - a.shared)
    .slice(0, 3)
    .map((summary) => summary.target);
  const label = i % 4;
  return {
    input: `${input.split("\n")[0]}\nA summary is:`,
    target,
    answer_choices: others.toSpliced(label, 0, target),
    label,
  };
});
const length = (row: object): number => JSON.stringify(row).length;
for (const row of choices.toSorted((a, b) => length(a) - length(b)).slice(0, Number(count)))
  console.log(JSON.stringify(row));

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}{2,}/gu));
}

/** Words in common, rare ones for more. */
function sharedOf(words: ReadonlySet<string>, article: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of words) if (article.has(word)) shared += Math.log(summaries.length / rarity.get(word)!);
  return shared;
}
