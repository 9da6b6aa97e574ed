/**
 * Runs the shipped experiment with seeds 1 to 5 and writes how each winner compares on the guard rows.
 *
 *     npx tsx bench/demo-seeds.ts > experiments/demo/SEEDS.md
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { launchRun, loadExperiment, type GuardedModel, type Outcome } from "../src/index.ts";
import { judgeModels } from "../src/report/judgement.ts";
import { gainCells } from "../src/report/verdict-table.ts";
import { markdownTable } from "../src/report/table.ts";

const SEEDS = [1, 2, 3, 4, 5];
const experiment = await loadExperiment("experiments/demo.yaml");
const tasks = experiment.tasks.map(({ name }) => name);

const scores = (model: GuardedModel | undefined): string =>
  tasks
    .map((task) => {
      const { loss = Number.NaN, accuracy } = model?.scores[task] ?? {};
      return accuracy === undefined ? loss.toFixed(3) : `${(100 * accuracy).toFixed(1)} %`;
    })
    .join(" / ");

const comparison = (models: readonly GuardedModel[], model: GuardedModel | undefined): string => {
  const judged = judgeModels(models, 1).get(model?.name ?? "");
  if (!model || !judged) return "is the winner";
  const [gain, pValue, word] = gainCells(judged.combined);
  return `${model.loss.toFixed(3)}; gain ${gain}, p ${pValue}: ${word}`;
};

const row = (seed: number, generations: number, { winner, verdict }: Outcome): string[] => {
  if (!verdict)
    return [`${seed}`, `${generations}`, `${winner.name}: the budget ended before the guard rows`, "", "", ""];
  const { models } = verdict;
  const parents = models.filter(({ kind }) => kind === "parent").toSorted((a, b) => a.loss - b.loss);
  const judged = models.find(({ kind }) => kind === "winner");
  return [
    `${seed}`,
    `${generations}`,
    `${winner.name}: ${judged?.loss.toFixed(3)} (${scores(judged)})`,
    `${parents[0]?.name} ${comparison(models, parents[0])}`,
    comparison(
      models,
      models.find(({ kind }) => kind === "average"),
    ),
    `${models.find(({ kind }) => kind === "global")?.name ?? "global weight"} ${comparison(
      models,
      models.find(({ kind }) => kind === "global"),
    )}`,
  ];
};

const rows: string[][] = [];
for (const seed of SEEDS) {
  const folder = await mkdtemp(join(tmpdir(), "demo-seeds-"));
  let generations = 0;
  const onEvent = ({ type }: { type: string }): void => {
    if (type === "generation") generations += 1;
  };
  const outcome = await launchRun({ ...experiment, seed }, join(folder, "run"), { onEvent });
  rows.push(row(seed, generations, outcome));
  await rm(folder, { recursive: true });
}

console.log(`# The shipped experiment with five seeds

Made by \`npx tsx bench/demo-seeds.ts\`, which runs \`experiments/demo.yaml\` with seeds 1 to 5, on ${availableParallelism()} cores of
${cpus()[0]?.model} shared with other work. A seed decides the search and its rows; parents and guard rows are the same.
Combined losses on the guard rows, lower is better; in parentheses ${tasks.join(" / ")} (accuracy or nats per byte). Gains are
the winner's, with 95 % intervals and p-values by group, which is the fact that a question is about or the article of a summary;
p-values are corrected (Holm) for the six comparisons of a verdict. Percentages are of the other model's loss.
`);
console.log(
  markdownTable({
    header: ["seed", "generations", "winner", "best parent", "uniform average", "best global weight"],
    rows,
  }),
);
