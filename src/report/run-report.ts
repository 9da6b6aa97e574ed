import { basename, resolve } from "node:path";
import { printableLine } from "../files/printable.ts";
import { drawnSentences } from "../journal/drawn-sentences.ts";
import type { JournalRecord, RecordPayloads } from "../journal/records.ts";
import { type Standing, standingOf } from "../journal/standing.ts";
import { recordedOptimizer } from "../search/optimizers.ts";
import { benchmarkView } from "./benchmark-table.ts";
import type { Benchmark } from "./benchmarks.ts";
import { columnsSentences } from "./columns-sentences.ts";
import { tellFront } from "./front-rows.ts";
import { judgedTasks, lossSentence } from "./loss-sentence.ts";
import { installedCommand, nextSteps } from "./next-steps.ts";
import { runFacts } from "./run-facts.ts";
import { baselineSentences, guardSentences, searchSentences } from "./search-sentences.ts";
import { markdownTable } from "./table.ts";
import { textsSentence, textsTable } from "./texts-table.ts";
import { verdictSentences, verdictTable } from "./verdict-table.ts";

/** What a run has found, in Markdown: how, its models on the guard rows and on the benchmarks that were evaluated, and what comes next. */
export function runReport(
  folder: string,
  records: readonly JournalRecord[],
  benchmarks: readonly Benchmark[],
  commandFor = installedCommand,
): string {
  const standing = standingOf(records);
  const { winner, verdict, texts, looks } = standing;
  const searched = searchedSentences(records);
  const facts = runFacts(records);
  const title = winner ? `winner: ${winner.name}` : "no winner yet";
  const parts = [
    printableLine(`# ${basename(resolve(folder))}, ${title}`),
    ...(facts.length === 0 ? [] : ["## Run", bullets(facts)]),
    ...(searched.length === 0 ? [] : ["## Search", bullets(searched)]),
    "## Guard rows",
    verdict
      ? guardText(verdict, looks, lossSentence(judgedTasks(records), verdict.models[0]?.scores ?? {}))
      : "The guard rows, which judge the winner, have not been scored.",
    ...frontParts(standing),
    ...(texts ? ["## Texts", printableLine(textsSentence(texts)), markdownTable(textsTable(texts))] : []),
    "## Benchmarks",
    ...(benchmarks.length === 0 ? ["None evaluated yet."] : []),
    ...benchmarks.map((benchmark) => benchmarkText(benchmark, winner?.recipe)),
    "## Next",
    commands(nextSteps(folder, records, commandFor)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function frontParts({ front, ...standing }: Standing): string[] {
  if (!front) return [];
  const { sentence, table } = tellFront({ front, ...standing });
  return ["## Front", sentence, markdownTable(table)];
}

/** What was searched, on which rows, and what that has come to. */
export function searchedSentences(records: readonly JournalRecord[]): string[] {
  const { winner, isCompared, generations, gaveUp, baselines } = standingOf(records);
  return [
    ...drawnSentences(records),
    ...scoredSentences(records),
    ...(baselines ? baselineSentences(baselines) : []),
    ...(winner ? searchSentences({ winner: winner.name, isCompared, generations, gaveUp }) : []),
    ...(winner ? columnsSentences(winner.recipe) : []),
  ];
}

function guardText(verdict: RecordPayloads["verdict"], looks: number, loss: string): string {
  const { models } = verdict;
  const tasks = Object.keys(models[0]?.scores ?? {});
  return `Rows that the search never saw. ${printableLine(loss)}
Losses with 95 % interval, lower is better; combined is 1 for the uniform average on the search rows. Rows of one group count once, p-values are
corrected for the number of models (Holm), and percentages are of the other model's loss.

${markdownTable(verdictTable(models, tasks, looks))}

${bullets([...guardSentences(verdict), ...verdictSentences(verdict, looks)])}`;
}

function benchmarkText(benchmark: Benchmark, recipe: unknown): string {
  const { tasks, said, provenance } = benchmarkView(benchmark, recipe);
  const tables = tasks.map(({ task, table, sentences }) =>
    [printableLine(`### ${task}`), markdownTable(table), ...(sentences.length === 0 ? [] : [bullets(sentences)])].join(
      "\n\n",
    ),
  );
  return [...tables, ...said, printableLine(provenance)].join("\n\n");
}

/** How much was searched, and which line of generations.csv is which. */
function scoredSentences(records: readonly JournalRecord[]): string[] {
  const results = records.filter((record) => record.type === "result");
  const [first] = results;
  if (!first) return [];
  const count = results.length === 1 ? "1 generation" : `${results.length} generations`;
  const work = results.reduce((sum, result) => sum + result.work, 0).toFixed(1);
  const cost = `for the work of ${work} passes of one merge over all search rows`;
  const { losses, gradients } = first;
  if (gradients) {
    const [candidates, which] =
      losses.length === 1
        ? ["one candidate", ""]
        : [`${losses.length} candidates`, " (generations.csv: reference_loss is of the one that stood best before)"];
    return [`The search took the gradients of ${count} of ${candidates}, ${cost}: a gradient counts as four${which}.`];
  }
  const most = Math.max(...results.map((result) => result.losses.length));
  const growing = most > losses.length ? ` to ${most - 1}` : "";
  const plan = records.find((record) => record.type === "plan");
  const beside = BESIDE[besideOf(plan?.algorithm ?? "")];
  return [
    `The search scored ${count} of ${losses.length - 1}${growing} candidates ${cost}, and with each ${beside} (generations.csv: best_loss is of candidates, reference_loss of that one).`,
    ...(growing
      ? [
          "Where it had converged, it began again with up to twice the candidates, as many as the budget had room for: from then on the reference is the best mean that it had converged to, and the mean of the distribution is one of the candidates.",
        ]
      : []),
  ];
}

function besideOf(algorithm: string): keyof typeof BESIDE {
  const known = recordedOptimizer(algorithm);
  return known ? (known.beside ?? "mean") : "reference";
}

/** What a generation has beside its candidates. */
const BESIDE = {
  mean: "the mean of the distribution that they were drawn from, a merge too and often better than all of them",
  "best so far": "the best of those before",
  reference: "the reference of the plugin that asked for them",
} as const;

function commands(steps: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...steps.map(([command]) => command.length));
  const lines = steps.map(([command, purpose]) => printableLine(`${command.padEnd(width)}  # ${purpose}`));
  return ["```", ...lines, "```"].join("\n");
}

function bullets(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${printableLine(sentence)}`).join("\n");
}
