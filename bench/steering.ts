/**
 * What searches reach for the same work on the shipped experiment: optimizers with and without derivatives, search spaces,
 * rows of a step, and peers over the same evaluator.
 *
 *     npx tsx bench/steering.ts --cells <folder> [--seeds 1,2] [--budgets 4,15,60 | --seconds 30,90] [--only <pattern>]
 *
 * Work is counted in forward passes over all search rows, or in seconds of one core, so other work on the machine does not
 * matter, or matters little. Each search is kept in the folder once it is done, and not repeated. Peers need Python with cma, optuna and cmaes; PYTHON names it.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../src/files/atomic-file.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { arms } from "./steering/arms.ts";
import { machine } from "./machine.ts";
import { Problem } from "./steering/problem.ts";
import { searchBy } from "./steering/search.ts";
import type { Unit } from "./steering/spending.ts";
import { budgetTable, paces, pointTable, type Cell } from "./steering/table.ts";

const { values } = parseArgs({
  options: {
    cells: { type: "string" },
    seeds: { type: "string", default: "1,2" },
    budgets: { type: "string", default: "4,15,60" },
    seconds: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const folder = values.cells ?? "";
if (!folder) throw new Error("--cells: expected the folder that keeps what was searched");
const unit: Unit = values.seconds === undefined ? "units" : "s";
const budgets = (values.seconds ?? values.budgets).split(",").map(Number);
const seeds = values.seeds.split(",").map(Number);
const chosen = arms.filter(({ name }) => new RegExp(values.only).test(name));
await mkdir(folder, { recursive: true });

{
  await using problem = await Problem.open();
  const wanted = seeds.flatMap((seed) => budgets.flatMap((budget) => chosen.map((arm) => ({ seed, budget, arm }))));
  for (const { seed, budget, arm } of wanted) {
    const file = `${arm.name}; ${budget} ${unit}; seed ${seed}.json`;
    if ((await readdir(folder)).includes(file)) continue;
    const found = await searchBy(problem, arm, { size: budget, unit }, seed);
    const cell: Cell = { arm: arm.name, budget, seed, found };
    await writeFileAtomic(join(folder, file), JSON.stringify(cell));
    console.error(`${file}: ${found.points.map(({ name, guard }) => `${name} ${guard.toFixed(3)}`).join(", ")}`);
  }
}

const counted = (await readdir(folder)).filter((file) => file.includes(` ${unit}; seed `));
const cells = await Promise.all(
  counted.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8")) as Cell),
);
console.log(`${machine()}\n${paces(cells, chosen)}\n`);
console.log(alignedText(budgetTable(cells, chosen, budgets, unit)));
console.log(`\n${alignedText(pointTable(cells, chosen, Math.max(...budgets)))}`);
