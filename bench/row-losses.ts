/**
 * How well losses of choice rows predict accuracy on other rows:
 *
 *     npx tsx bench/row-losses.ts [--best] [--draws 400] [--sizes 25,50,100,200] <scores.jsonl>...
 *
 * The scores are what bench/candidate-scores.ts writes. Time and again the groups of rows are halved: candidates' mean losses on so many rows
 * of one half are held against lm_eval's acc and acc_norm on the other, by rank (Spearman) and by what the candidate of the
 * least loss lacks of the best accuracy there. Rows with letters for answers stand apart. `--best` takes the half of the
 * candidates that has the greatest accuracy, among which a search has to choose once it is under way.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { mean, median, sampleCorrelation } from "simple-statistics";
import { alignedText } from "../src/report/text/text-table.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { type ChoiceScores, readChoiceScores } from "./candidate-scores-file.ts";
import { accuracies, type Formula, losses } from "./loss-formulas.ts";
import { ranksOf } from "./ranks.ts";

const { values, positionals } = parseArgs({
  options: {
    best: { type: "boolean", default: false },
    draws: { type: "string", default: "400" },
    sizes: { type: "string", default: "25,50,100,200" },
  },
  allowPositionals: true,
});

/** Over all draws: correlations of ranks, and accuracy that the candidate of the least loss lacks. */
interface Found {
  readonly rank: number[];
  readonly lack: number[];
}

/** Values of a formula: by candidate, then by row. */
type Table = readonly Float64Array[];

const sizes = values.sizes.split(",").map(Number);
const goals = Object.entries(accuracies);

for (const file of positionals) {
  const rows = await readChoiceScores(file);
  for (const isLettered of [true, false]) {
    const own = rows.filter((row) => row.isLettered === isLettered);
    if (own.length > 0) console.log(compared(`${basename(file)}, ${isLettered ? "letters" : "full text"}`, own));
  }
}

function compared(title: string, all: readonly ChoiceScores[]): string {
  const rows = values.best ? withBetterHalf(all) : all;
  const fits = sizes.filter((size) => size <= rows.length / 2);
  const judges: [string, Formula][] = [
    ...Object.entries(losses),
    ...goals.map(([name, formula]): [string, Formula] => [`1 - ${name}`, (own) => 1 - formula(own)]),
  ];
  const tables = judges.map(([, formula]) => tableOf(rows, formula));
  const found = measure(rows, tables, fits);
  const tenths = tables.map((table) => percent(median(table.map(worstTenth))));
  const printed = goals.map(([goal, formula], g) => {
    const reached = meansAt(tableOf(rows, formula), [...rows.keys()]);
    const header = [
      goal,
      "worst tenth",
      ...fits.map((size) => `ranks ${size}`),
      ...fits.map((size) => `lacks ${size}`),
    ];
    const lines = judges.map(([name], l) => [
      name,
      tenths[l]!,
      ...found[l]!.map((bySize) => mean(bySize[g]!.rank).toFixed(3)),
      ...found[l]!.map((bySize) => percent(mean(bySize[g]!.lack))),
    ]);
    const range = `${percent(Math.min(...reached))} to ${percent(Math.max(...reached))}, median ${percent(median(reached))}`;
    return `
${title}: ${rows.length} rows, ${reached.length} candidates, whose ${goal} is ${range}
${alignedText({ header, rows: lines })}`;
  });
  return printed.join("\n");
}

/** What the losses of each table say of the goals, by table, size and goal. */
function measure(rows: readonly ChoiceScores[], tables: readonly Table[], fits: readonly number[]): Found[][][] {
  const reached = goals.map(([, formula]) => tableOf(rows, formula));
  const found = tables.map(() => fits.map(() => goals.map((): Found => ({ rank: [], lack: [] }))));
  const stream = RandomStream.of(1, "halves");
  for (let draw = 0; draw < Number(values.draws); draw++) {
    const [seen, unseen] = halves(rows, stream);
    const wanted = reached.map((table) => meansAt(table, unseen)).map((own) => ({ own, ranks: ranksOf(own) }));
    for (const [l, table] of tables.entries()) {
      for (const [s, size] of fits.entries()) {
        const own = meansAt(table, seen.slice(0, size));
        const ranks = ranksOf(own);
        const least = own.indexOf(Math.min(...own));
        for (const [g, goal] of wanted.entries()) {
          const { rank, lack } = found[l]![s]![g]!;
          const correlation = -sampleCorrelation(ranks, goal.ranks);
          // Where all candidates are as accurate there is nothing to predict.
          if (Number.isFinite(correlation)) rank.push(correlation);
          lack.push(Math.max(...goal.own) - goal.own[least]!);
        }
      }
    }
  }
  return found;
}

function withBetterHalf(rows: readonly ChoiceScores[]): ChoiceScores[] {
  const accuracy = meansAt(tableOf(rows, accuracies.acc), [...rows.keys()]);
  const places = [...accuracy.keys()].toSorted((a, b) => accuracy[b]! - accuracy[a]!).slice(0, accuracy.length / 2);
  return rows.map((row) => ({ ...row, answers: places.map((place) => row.answers[place]!) }));
}

function tableOf(rows: readonly ChoiceScores[], formula: Formula): Table {
  return rows[0]!.answers.map((_, candidate) => Float64Array.from(rows, ({ answers }) => formula(answers[candidate]!)));
}

/** Places of rows: groups in random order, dealt to two sides of about equal size, the first in random order. */
function halves(rows: readonly ChoiceScores[], stream: RandomStream): [number[], number[]] {
  const groups = stream.shuffle([...new Set(rows.map(({ group }) => group))]);
  const rank = new Map(groups.map((group, i) => [group, i]));
  const rankOf = (place: number): number => rank.get(rows[place]!.group)!;
  const ordered = [...rows.keys()].toSorted((a, b) => rankOf(a) - rankOf(b));
  const seen = ordered.slice(0, Math.ceil(rows.length / 2));
  return [stream.shuffle(seen), ordered.slice(seen.length).filter((place) => rankOf(place) !== rankOf(seen.at(-1)!))];
}

/** Means by candidate over some rows. */
function meansAt(table: Table, places: readonly number[]): number[] {
  return table.map((column) => places.reduce((sum, place) => sum + column[place]!, 0) / places.length);
}

/** Share of the summed loss that the tenth of the rows with the greatest losses has. */
function worstTenth(column: Float64Array): number {
  const worst = column.toSorted((a, b) => b - a).slice(0, Math.round(column.length / 10));
  return (mean([...worst]) * worst.length) / (mean([...column]) * column.length);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
