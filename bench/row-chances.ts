/**
 * What it saves to draw rows by how much they say, and to weigh them by the inverse of their chance:
 *
 *     npx tsx bench/row-chances.ts [--seed 1]
 *
 * Along a search by sep-CMA-ES and a walk by gradient over the tensors of the shipped experiment, a 20th of the rows a generation, all
 * search rows are scored at some generations. From these, how much the comparison of a generation's candidates, or the gradient of a
 * step, scatters with the draw, for the cost of a 20th. Chances rest on earlier generations, or for an upper bound on this one.
 */
import { parseArgs } from "node:util";
import { mean } from "simple-statistics";
import { stratifiedSubset } from "../src/tasks/subset.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { arms } from "./steering/arms.ts";
import { Problem } from "./steering/problem.ts";
import { byChance, filled, spreads, type Draw } from "./steering/row-chances.ts";
import { steeringOf } from "./steering/search.ts";

const FRACTION = 0.05;
const DRAWS = 2000;
const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
const seed = Number(values.seed);
await using problem = await Problem.open();
const rows = problem.searchRows;
const all = [...rows.keys()];
const tasks = Object.keys(problem.search);
const placeOf = new Map(rows.map(({ row }, i) => [row, i]));
const header = ["", "at", "cost", "scatter", "for its cost"];
console.log(alignedText({ header, rows: await evolution([5, 20, 60]) }));
console.log(`\n${alignedText({ header, rows: await walk([5, 20, 40, 70]) })}`);

/** Differences of a generation's candidates, by the spread of a row's losses over candidates. */
async function evolution(marks: readonly number[]): Promise<string[][]> {
  const arm = arms.find(({ name }) => name === "sep-cma-es, tensors, 20th")!;
  const genome = problem.genome(arm.space);
  await using steering = steeringOf(arm, genome, seed);
  const sweep = [0.2, 0.4, 0.6, 0.8, 1].map((weight) => genome.start.map(() => weight / 1.5));
  const byBaselines = spreads(await problem.rowLosses(genome, sweep, problem.search));
  const seen = new Map<number, number>();
  const kept = new Map<number, readonly number[]>();
  const lines: string[][] = [];
  for (let generation = 0; generation <= Math.max(...marks); generation += 1) {
    const candidates = await steering.ask();
    const points = candidates.map(({ point }) => point);
    if (marks.some((mark) => mark === generation || mark === generation + 5)) {
      const losses = await problem.rowLosses(genome, points, problem.search);
      kept.set(generation, spreads(losses));
      const chances = {
        "its spread over the sweep of one weight": byBaselines,
        "its spread when it was met last": filled(rows, seen),
        "its spread five generations ago": kept.get(generation - 5),
        "its spread over these candidates": kept.get(generation),
      };
      const columns = all.map((i) => centred(losses.map((own) => own[i]!)));
      if (marks.includes(generation)) lines.push(...compared(`generation ${generation}`, columns, chances));
    }
    const drawn = problem.draw(problem.search, FRACTION, seed, generation);
    const losses = await problem.rowLosses(genome, points, drawn);
    for (const [i, spread] of spreads(losses).entries()) seen.set(placesOf(drawn)[i]!, spread);
    const parts = partsOf(drawn);
    await steering.tell(
      losses.map((own) => ({ loss: own.reduce((sum, loss, i) => sum + parts[i]! * loss, 0) })),
      0,
    );
  }
  return lines;
}

/** Gradients, by the length of a row's own, or by its loss, which costs nothing to know. */
async function walk(marks: readonly number[]): Promise<string[][]> {
  const arm = arms.find(({ name }) => name === "walk, tensors, 20th")!;
  const genome = problem.genome(arm.space);
  await using steering = steeringOf(arm, genome, seed);
  const [atStart = []] = await problem.rowLosses(genome, [genome.start], problem.search);
  const seen = new Map(atStart.entries());
  const kept = new Map<number, readonly number[]>();
  const lines: string[][] = [];
  for (let step = 0; step <= Math.max(...marks); step += 1) {
    const candidates = await steering.ask();
    const { point } = candidates[0]!;
    if (marks.some((mark) => mark === step || earlier(mark) === step)) {
      const gradients = await problem.rowGradients(genome, point);
      const units = unitsOf(gradients);
      const columns = gradients.map((own) => own.map((slope, j) => slope / units[j]!));
      kept.set(step, columns.map(lengthOf));
      const chances = {
        "its loss at the start": atStart,
        "its loss when it was met last": filled(rows, seen),
        "its gradient 20 steps ago": kept.get(earlier(step)),
        "its gradient now": kept.get(step),
      };
      if (marks.includes(step)) lines.push(...compared(`step ${step}`, columns, chances));
    }
    const drawn = problem.draw(problem.search, FRACTION, seed, step);
    const [losses = []] = await problem.rowLosses(genome, [point], drawn);
    for (const [i, place] of placesOf(drawn).entries()) seen.set(place, losses[i]!);
    await steering.tell(await problem.scores(genome, candidates, drawn), step / 75);
  }
  return lines;
}

/** What draws are worth: the first is how rows are drawn now, and what the others are compared with. */
function compared(
  at: string,
  columns: readonly ArrayLike<number>[],
  chances: Readonly<Record<string, readonly number[] | undefined>>,
): string[][] {
  const now = measured(columns, drawnNow);
  const lines = Object.entries(chances).flatMap(([name, wish]): [string, (stream: RandomStream) => Draw][] => {
    if (!wish) return [];
    const perTask = rows.map(({ task }) =>
      Math.sqrt(mean(all.filter((i) => rows[i]!.task === task).map((i) => wish[i]! ** 2))),
    );
    return [
      [`tasks by ${name}`, byChance(rows, perTask, FRACTION)],
      [`rows by ${name}`, byChance(rows, wish, FRACTION)],
    ];
  });
  return [["as now", at, "100 %", "100 %", "1.00"]].concat(
    lines.map(([name, draw]) => {
      const { cost, variance } = measured(columns, draw);
      const gain = (now.variance * now.cost) / (variance * cost);
      return [name, at, percent(cost / now.cost), percent(Math.sqrt(variance / now.variance)), gain.toFixed(2)];
    }),
  );
}

/** Of the sum over all rows of their part times a column, as draws estimate it; variances summed over its numbers. */
function measured(columns: readonly ArrayLike<number>[], draw: (stream: RandomStream) => Draw) {
  const stream = RandomStream.of(1, "draws");
  const length = columns[0]!.length;
  const [sums, squares] = [new Float64Array(length), new Float64Array(length)];
  let cost = 0;
  for (let n = 0; n < DRAWS; n += 1) {
    const estimate = new Float64Array(length);
    for (const { index, factor } of draw(stream)) {
      cost += rows[index]!.tokens / DRAWS;
      for (let j = 0; j < length; j += 1) estimate[j]! += factor * columns[index]![j]!;
    }
    for (const [j, value] of estimate.entries()) {
      sums[j]! += value / DRAWS;
      squares[j]! += (value * value) / DRAWS;
    }
  }
  return { cost, variance: squares.reduce((sum, square, j) => sum + square - sums[j]! ** 2, 0) };
}

function drawnNow(stream: RandomStream): Draw {
  return tasks.flatMap((task) => {
    const own = problem.search[task]!;
    const taken = stratifiedSubset(own, FRACTION, stream);
    return taken.map((row) => {
      const index = placeOf.get(row)!;
      return { index, factor: (rows[index]!.part * own.length) / taken.length };
    });
  });
}

/** A row is met again after 20 steps, on average. */
function earlier(step: number): number {
  return Math.max(0, step - 20);
}

function placesOf(drawn: Problem["search"]): number[] {
  return tasks.flatMap((task) => drawn[task]!.map((row) => placeOf.get(row)!));
}

/** What multiplies the losses of drawn rows in the combined loss. */
function partsOf(drawn: Problem["search"]): number[] {
  return tasks.flatMap((task) => {
    const own = drawn[task]!;
    return own.map((row) => (rows[placeOf.get(row)!]!.part * problem.search[task]!.length) / own.length);
  });
}

function centred(numbers: readonly number[]): number[] {
  const middle = mean([...numbers]);
  return numbers.map((value) => value - middle);
}

/** The root mean square of each coordinate of a step's gradient, which Adam divides by. */
function unitsOf(gradients: readonly Float64Array[]): Float64Array {
  const stream = RandomStream.of(1, "units");
  const squares = new Float64Array(gradients[0]!.length);
  for (let n = 0; n < 200; n += 1) {
    const estimate = new Float64Array(squares.length);
    for (const { index, factor } of drawnNow(stream)) {
      for (const [j, slope] of gradients[index]!.entries()) estimate[j]! += factor * slope;
    }
    for (const [j, value] of estimate.entries()) squares[j]! += (value * value) / 200;
  }
  return squares.map((square) => Math.max(Math.sqrt(square), 1e-30));
}

function lengthOf(vector: Float64Array): number {
  return Math.hypot(...vector);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
