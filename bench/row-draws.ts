/**
 * What a draw of rows for a generation is worth: how evenly it costs, and how much the means over it scatter for that cost.
 *
 *     npx tsx bench/row-draws.ts --model <folder> --rows <file> <scores.json> <scores.json>...
 *
 * The scores are what `evomerge score --json` prints of two models or more on all of the rows; the model's tokenizer tells the
 * cost of a row, its padded tokens.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { mean, sampleStandardDeviation, standardDeviation, variance } from "simple-statistics";
import { packedLength } from "../src/evaluate/pack.ts";
import { Tokenizer } from "../src/model/tokenizer/tokenizer.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { readRows, type TaskRow } from "../src/tasks/rows.ts";
import { stratifiedSubset } from "../src/tasks/subset.ts";
import { RandomStream } from "../src/tensor/random.ts";

const DRAWS = 4000;
const FRACTIONS = [0.1, 0.25];

/** Some rows, and how much each weighs in a mean. */
type Draw = readonly { readonly index: number; readonly weight: number }[];

const { values, positionals } = parseArgs({
  options: { model: { type: "string" }, rows: { type: "string" } },
  allowPositionals: true,
});
const rows = await readRows(values.rows ?? "");
await using tokenizer = await Tokenizer.load(values.model ?? "");
const costs = (await tokenizer.encode(rows)).map((row) => 16 * Math.ceil(packedLength(row) / 16));
const losses = await Promise.all(positionals.map(lossesOf));
const [first = []] = losses;
/** What a search compares: one model's losses less another's, on the same rows. */
const differences = losses.slice(1).map((own) => own.map((loss, i) => loss - first[i]!));

const places = new Map(rows.map((row, i) => [row, i]));
const draws: Readonly<Record<string, (fraction: number, stream: RandomStream) => Draw>> = {
  "any rows": (fraction, stream) => plain(stream.sample([...rows.keys()], sizeOf(fraction))),
  "thirds by length": (fraction, stream) => plain(systematic(thirds(), sizeOf(fraction), stream)),
  "as many strata as rows drawn": (fraction, stream) =>
    plain(stratifiedSubset(rows, fraction, stream).map((row) => places.get(row)!)),
  "short rows more often, weighted": (fraction, stream) => byCost(fraction, stream),
};

const byLength = [...rows.keys()].toSorted((a, b) => costs[b]! - costs[a]!);
const longest = byLength.slice(0, Math.round(rows.length / 10));
const total = sum(costs);
console.log(
  `${rows.length} rows, ${total} padded tokens; the longest tenth has ${percent(sum(longest.map((i) => costs[i]!)) / total)} of them`,
);
const header = ["", "fraction", "cost", "scatter of cost", "scatter of a mean", "of a difference", "for its cost"];
const lines = FRACTIONS.flatMap((fraction) => {
  const measured = Object.entries(draws).map(([name, draw]) => ({ name, ...measure(draw, fraction) }));
  const [plainest] = measured;
  return measured.map(({ name, cost, costScatter, meanScatter, differenceScatter }) => [
    name,
    String(fraction),
    percent(cost / (fraction * total)),
    percent(costScatter),
    percent(meanScatter / plainest!.meanScatter),
    percent(differenceScatter / plainest!.differenceScatter),
    ((plainest!.differenceScatter ** 2 * plainest!.cost) / (differenceScatter ** 2 * cost)).toFixed(2),
  ]);
});
console.log(alignedText({ header, rows: lines }));

async function lossesOf(file: string): Promise<number[]> {
  const { scores } = JSON.parse(await readFile(file, "utf8")) as { scores: { id: string; loss: number }[] };
  if (scores.some(({ id }, i) => id !== rows[i]?.id)) throw new Error(`${file}: scores of other rows`);
  return scores.map(({ loss }) => loss);
}

function measure(draw: (typeof draws)[string], fraction: number) {
  const stream = RandomStream.of(1, "draws");
  const drawn = Array.from({ length: DRAWS }, () => draw(fraction, stream));
  const own = drawn.map((part) => sum(part.map(({ index }) => costs[index]!)));
  const scatter = (column: readonly number[]): number =>
    standardDeviation(drawn.map((part) => weightedMean(part, column)));
  return {
    cost: mean(own),
    costScatter: sampleStandardDeviation(own) / mean(own),
    meanScatter: mean(losses.map(scatter)),
    // Of several pairs of models, by the root of their mean variance relative to the rows'.
    differenceScatter: Math.sqrt(mean(differences.map((column) => scatter(column) ** 2 / variance(column)))),
  };
}

function weightedMean(part: Draw, column: readonly number[]): number {
  return sum(part.map(({ index, weight }) => weight * column[index]!)) / sum(part.map(({ weight }) => weight));
}

function plain(indices: readonly number[]): Draw {
  return indices.map((index) => ({ index, weight: 1 }));
}

function thirds(): (index: number) => number {
  const rank = new Map(
    [...rows.keys()].toSorted((a, b) => lengthOf(rows[a]!) - lengthOf(rows[b]!)).map((index, i) => [index, i]),
  );
  return (index) => Math.floor((3 * rank.get(index)!) / rows.length);
}

function systematic(stratum: (index: number) => number, size: number, stream: RandomStream): number[] {
  const ordered = stream.shuffle([...rows.keys()]).toSorted((a, b) => stratum(a) - stratum(b));
  const start = stream.integer(rows.length);
  return Array.from({ length: size }, (_, i) => ordered[Math.floor((start + i * rows.length) / size)]!);
}

/**
 * Rows with a chance inverse to the root of their cost, which is best where losses scatter alike at all lengths (Cochran
 * 1977, 5.5), weighted by its inverse, for the cost of `fraction` of all rows; about one of each few neighbours in length.
 */
function byCost(fraction: number, stream: RandomStream): Draw {
  const wish = costs.map((cost) => 1 / Math.sqrt(cost));
  const scale = (fraction * total) / sum(wish.map((chance, i) => chance * costs[i]!));
  const chances = wish.map((chance) => Math.min(1, scale * chance));
  // Neighbours in length, of which about one is drawn, in random order among themselves.
  const stratum = new Map<number, number>();
  let before = 0;
  for (const index of byLength) {
    stratum.set(index, Math.floor(before));
    before += chances[index]!;
  }
  const ordered = stream.shuffle(byLength).toSorted((a, b) => stratum.get(a)! - stratum.get(b)!);
  const drawn: { index: number; weight: number }[] = [];
  let next = stream.uniform();
  let passed = 0;
  for (const index of ordered) {
    passed += chances[index]!;
    if (passed <= next) continue;
    drawn.push({ index, weight: 1 / chances[index]! });
    next += 1;
  }
  return drawn;
}

function sizeOf(fraction: number): number {
  return Math.round(fraction * rows.length);
}

function lengthOf({ context }: TaskRow): number {
  return context.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, own) => all + own, 0);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
