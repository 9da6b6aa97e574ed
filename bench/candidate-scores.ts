/**
 * Log-likelihoods of many merges on many rows, for bench/row-losses.ts to compare losses on:
 *
 *     npx tsx bench/candidate-scores.ts <experiment.yaml> --candidates 80 [--precision bf16] [--together 8] --out <file.jsonl>
 *
 * The candidates are the experiment's baselines and points of its search space, each around a weight for every expert that is drawn from
 * the whole range. Each line of the file is one candidate on all rows; what it has already is not scored again.
 */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { inRowOrder, promptsOf } from "../src/evaluate/prompt.ts";
import { GenerationScorer } from "../src/evaluate/generation-scorer.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import type { Precision } from "../src/experiment/experiment.ts";
import { filesOf } from "../src/experiment/load-tasks.ts";
import { BASE } from "../src/experiment/the-base.ts";
import { batchTokensFor, openWorkspace } from "../src/experiment/workspace.ts";
import { type Recipe, uniformRecipe } from "../src/merge/recipe.ts";
import { listBaselines } from "../src/run/baselines/baselines.ts";
import { buildGenome, type MergeGenome } from "../src/space/genome.ts";
import { readRows } from "../src/tasks/rows.ts";
import { RandomStream } from "../src/tensor/random.ts";
import type { CandidateScores, ScoredRows } from "./candidate-scores-file.ts";
import { mergeSpace } from "../test/merge-space.ts";

const { values, positionals } = parseArgs({
  options: {
    candidates: { type: "string", default: "80" },
    precision: { type: "string", default: "auto" },
    together: { type: "string", default: "8" },
    out: { type: "string" },
  },
  allowPositionals: true,
});
const out = values.out ?? "";
const experiment = await loadExperiment(positionals[0] ?? "experiments/demo.yaml");
const files = experiment.tasks.flatMap(({ rows, guard }) => [...filesOf(rows), ...(guard ? filesOf(guard) : [])]);
const rows = (await Promise.all(files.map((file) => readRows(file)))).flat();

await using workspace = await openWorkspace({ ...experiment, precision: values.precision as Precision });
const { device, model, weights, tokenizer, experts } = workspace;
const parents = { base: BASE, experts, model };
const candidates: [string, Recipe][] = listBaselines(experiment, parents).map(({ name, recipe }) => [name, recipe]);
const space = mergeSpace(experiment.space);
const genome = buildGenome(space, workspace);
for (let i = candidates.length; i < Number(values.candidates); i++) candidates.push([`random ${i}`, drawn(genome, i)]);

const tokenised = await tokenizer.encode(rows);
const prepared = rows.map((row, i) => promptsOf(row, tokenised[i]!, model));
const prompts = prepared.flatMap((row) => row.prompts);
const scorer = new GenerationScorer({
  device,
  model,
  parents: weights,
  base: BASE,
  experts,
  batchTokens: batchTokensFor(device, model),
});

const described: ScoredRows = rows.map(({ id, group, kind, continuations, label }, i) => ({
  id,
  group,
  kind,
  continuations,
  label,
  tokens: tokenised[i]!.continuations.map(({ length }) => length),
}));
if (!existsSync(out)) await appendFile(out, `${JSON.stringify(described)}\n`);
const done = new Set((await readFile(out, "utf8")).trim().split("\n").slice(1).map(nameOf));
const open = candidates.filter(([name]) => !done.has(name));
console.error(`${rows.length} rows, ${scorer.tokensOf(prompts)} tokens, ${open.length} candidates to score`);
for (let start = 0; start < open.length; start += Number(values.together)) {
  const part = open.slice(start, start + Number(values.together));
  const { logLikelihoods } = await scorer.score(
    part.map(([, recipe]) => recipe),
    prompts,
  );
  for (const [i, [name]] of part.entries()) {
    let next = 0;
    const byRow = prepared.map((row) => inRowOrder(row, logLikelihoods[i]!.slice(next, (next += row.prompts.length))));
    await appendFile(out, `${JSON.stringify({ name, logLikelihoods: byRow } satisfies CandidateScores)}\n`);
  }
  console.error(`${start + part.length} of ${open.length}, ${process.cpuUsage().user / 1e6} CPU s`);
}

/** A weight for each expert from the whole range, and around it a point as near or as far as a search would go. */
function drawn(genome: MergeGenome, index: number): Recipe {
  const stream = RandomStream.of(1, `candidate ${index}`);
  const [low, high] = space.parameters["weight"]?.range ?? [0, 1];
  const byExpert = Object.fromEntries(experts.map((expert) => [expert, low + (high - low) * stream.uniform()]));
  const centre = genome.encode(uniformRecipe(space.method, byExpert, model.groups));
  const spread = 0.15 * stream.uniform();
  return genome.decode(centre.map((value) => Math.min(1, Math.max(0, value + spread * stream.normal()))));
}

function nameOf(line: string): string {
  return (JSON.parse(line) as CandidateScores).name;
}
