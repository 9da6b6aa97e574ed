/**
 * What merge methods reach for the same work on the shipped experiment: for each the same search over curves of three groups of
 * tensors, and where gradients reach what matters, a walk by them.
 *
 *     npx tsx bench/methods.ts --cells <folder> [--seeds 1,2,3,4,5] [--budget 15] [--only <pattern>]
 *
 * Work is counted in forward passes over all search rows; a generation meets a 20th of them, so that 15 passes are 300 merges.
 * Each search is kept in the folder once it is done, and not repeated.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeFileAtomic } from "../src/files/atomic-file.ts";
import { declarations, type MethodName, methodNames } from "../src/merge/declarations.ts";
import { isRandom } from "../src/merge/method.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { BoundedCmaEs } from "../src/search/bounded-cma-es.ts";
import { GradientWalk } from "../src/search/gradient-walk.ts";
import type { SearchSpace } from "../src/space/search-space.ts";
import { machine } from "./machine.ts";
import type { Arm } from "./steering/arms.ts";
import { Problem } from "./steering/problem.ts";
import { searchBy } from "./steering/search.ts";
import { budgetTable, type Cell } from "./steering/table.ts";

/** Experts of the shipped experiment. */
const EXPERTS = 3;

const { values } = parseArgs({
  options: {
    cells: { type: "string" },
    seeds: { type: "string", default: "1,2,3,4,5" },
    budget: { type: "string", default: "15" },
    only: { type: "string", default: "" },
  },
});
const folder = values.cells ?? "";
if (!folder) throw new Error("--cells: expected the folder that keeps what was searched");
const budget = Number(values.budget);

function spaceOf(method: MethodName, isByTensor = false): SearchSpace {
  const declaration = declarations[method];
  return {
    method,
    groups: isByTensor ? "tensors" : [["attention"], ["mlp"], ["norm", "embedding"]],
    depth: isByTensor ? { curve: "per-layer" } : { curve: "dct", terms: 3 },
    ...(isRandom(declaration) && { seed: 0 }),
    parameters: Object.fromEntries(declaration.parameters.map(({ name, range, start }) => [name, { range, start }])),
  };
}

const rows = (): number => 0.05;
const searched = methodNames.filter((method) => {
  const { parameters, experts } = declarations[method];
  return parameters.length > 0 && EXPERTS >= (experts?.least ?? 1) && EXPERTS <= (experts?.most ?? EXPERTS);
});
const arms: readonly Arm[] = [
  ...searched.map((method): Arm => ({
    name: method,
    space: spaceOf(method),
    optimizer: (options) => new BoundedCmaEs(options),
    rows,
  })),
  ...(["task_arithmetic", "ties"] as const).flatMap((method): Arm[] =>
    [false, true].map((isByTensor) => ({
      name: `${method} by gradients${isByTensor ? ", by tensor" : ""}`,
      space: spaceOf(method, isByTensor),
      optimizer: (options) => new GradientWalk(options),
      rows,
    })),
  ),
].filter(({ name }) => new RegExp(values.only).test(name));

await mkdir(folder, { recursive: true });
{
  await using problem = await Problem.open();
  for (const seed of values.seeds.split(",").map(Number)) {
    for (const arm of arms) {
      const file = `${arm.name}; ${budget}; seed ${seed}.json`;
      if ((await readdir(folder)).includes(file)) continue;
      const found = await searchBy(problem, arm, { size: budget, unit: "units" }, seed);
      await writeFileAtomic(join(folder, file), JSON.stringify({ arm: arm.name, budget, seed, found } satisfies Cell));
      console.error(`${file}: ${found.points.map(({ name, guard }) => `${name} ${guard.toFixed(3)}`).join(", ")}`);
    }
  }
}

const kept = (await readdir(folder)).filter((file) => file.includes(`; ${budget}; seed `));
const cells = await Promise.all(
  kept.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8")) as Cell),
);
console.log(`${machine()}\n`);
console.log(alignedText(budgetTable(cells, arms, [budget], "units")));
