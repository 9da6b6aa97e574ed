import { Journal } from "../../src/journal/journal.ts";
import type {
  Gain,
  GuardedModel,
  ModelLosses,
  NumbersRef,
  RecordedTime,
  ScoredModel,
} from "../../src/journal/records.ts";
import type { Curve, MergeRecipe, Recipe } from "../../src/merge/recipe.ts";
import { RandomStream } from "../../src/tensor/random.ts";

export interface SyntheticRun {
  readonly generations: number;
  /** Candidates of each, their mean not among them. */
  readonly population: number;
  readonly layers?: number;
  readonly experts?: readonly string[];
  readonly tasks?: readonly [string, string];
  readonly groups?: readonly string[];
  /** Search and guard rows of each task. */
  readonly rows?: number;
  /** The last phase that is recorded; all unless given. */
  readonly until?: "baselines" | "search" | "finalists" | "verdict";
}

const TIME: RecordedTime = { models: 2, tokens: 1000, passes: 1, ms: 900, waitMs: 300 };

/** Writes the journal of a search by CMA-ES whose losses fall, made up of seeded random numbers: 117 genes unless other sizes are given. */
export function writeSyntheticRun(folder: string, options: SyntheticRun): void {
  const { generations, population, layers = 13, experts = ["nature", "craft", "news"] } = options;
  const {
    tasks = ["cosmosqa", "xsum"],
    groups = ["attention", "mlp", "norm"],
    rows = 200,
    until = "verdict",
  } = options;
  const random = RandomStream.of(5, "synthetic run");
  using journal = Journal.create(folder, {
    began: "2026-01-02T03:04:05.000Z",
    experiment: {},
    identity: {},
    versions: { evomerge: "0.1.0", node: "v20.19.0", engine: "made up" },
  });
  let elapsedMs = 0;
  const after = (ms: number): number => (elapsedMs += ms);
  const numbers = (values: Iterable<number>): NumbersRef => journal.appendNumbers(Float64Array.from(values));
  const counts = (count: number): Record<string, number> => Object.fromEntries(tasks.map((task) => [task, count]));
  const rowLosses = (levels: readonly (readonly number[])[], count: number): NumbersRef =>
    numbers(
      levels.flat().flatMap((level) => Array.from({ length: count }, () => level * Math.exp(random.normal() / 2))),
    );

  journal.append({ type: "parents", tensors: {} });
  journal.append({
    type: "forecast",
    models: [{ name: "uniform average", scores: {} }],
    from: counts(0),
    to: counts(0),
    rowLosses: numbers([]),
    firstTime: TIME,
    time: TIME,
    baselinesMs: 1,
    generationMs: 1,
    finishMs: 1,
    generations,
    wholeMs: 1,
    isSmall: false,
    elapsedMs: after(2500),
  });
  const names = ["base", ...experts, "uniform average", "global weight 0.8"];
  const baselines = names.map((name, i) => model(name, tasks, [1.4 - 0.1 * i, 1.2 - 0.06 * i], copyOf(name)));
  journal.append({
    type: "baselines",
    models: baselines.map((own) => ({ ...own, rows: counts(rows) })),
    skipped: [],
    scales: counts(1),
    elapsedMs: after(9000),
  });
  if (until === "baselines") return;

  const genes = experts.flatMap((expert) =>
    groups.flatMap((group) => Array.from({ length: layers }, (_, layer) => `${expert}.${group}.weight.layer${layer}`)),
  );
  journal.append({
    type: "plan",
    algorithm: "cma-es",
    genes,
    ranges: genes.map(() => [-0.5, 2]),
    start: numbers(genes.map(() => 0.5)),
    candidates: population + 1,
    rowFraction: 0.1,
    elapsedMs: after(10),
  });
  const ofGeneration = Math.max(1, Math.round(rows / 10));
  for (let generation = 0; generation < generations; generation += 1) {
    const level = 0.2 + 0.7 * Math.exp((-4 * generation) / generations);
    const levels = Array.from({ length: population + 1 }, (_, i) =>
      i === population
        ? [level, level]
        : [level * Math.exp(random.normal() / 5), level * Math.exp(random.normal() / 5)],
    );
    const points = numbers(levels.flatMap(() => genes.map(() => random.uniform())));
    journal.append({ type: "ask", generation, points, rows: counts(ofGeneration) });
    journal.append({
      type: "result",
      generation,
      losses: levels.map(([x = 0, y = 0], i) => (i === 3 && generation % 50 === 0 ? Number.NaN : (x + y) / 2)),
      reference: population,
      rowLosses: rowLosses(levels, ofGeneration),
      work: (population + 1) / 10,
      spent: (generation + 1) / generations,
      time: TIME,
      elapsedMs: after(1000),
    });
  }
  if (until === "search") return;

  const winner: ScoredModel = {
    ...model("evolved merge", tasks, [0.22, 0.2]),
    recipe: recipeOf(experts, groups, layers, random),
  };
  journal.append({
    type: "finalists",
    models: [model("last mean", tasks, [0.22, 0.2])],
    winner,
    rows: counts(rows),
    time: TIME,
    elapsedMs: after(4000),
  });
  if (until === "finalists") return;
  const judged = [...baselines, winner];
  const levels = judged.map(({ scores }) => tasks.map((task) => scores[task]?.loss ?? 1));
  journal.append({
    type: "verdict",
    models: judged.map((own): GuardedModel => {
      const isWinner = own === winner;
      const kind =
        own.name === "base" || experts.includes(own.name)
          ? "parent"
          : own.name === "uniform average"
            ? "average"
            : "global";
      const gain = own.loss - winner.loss;
      const gains = { combined: gainOf(gain), tasks: Object.fromEntries(tasks.map((task) => [task, gainOf(gain)])) };
      const intervals = Object.fromEntries(tasks.map((task) => [task, [0.8, 1.2] as const]));
      return { ...own, kind: isWinner ? "winner" : kind, intervals, ...(!isWinner && { gains }) };
    }),
    groups: counts(rows),
    weightsDigest: "00",
    rows: counts(rows),
    outOf: counts(rows),
    rowLosses: rowLosses(levels, rows),
    time: TIME,
    elapsedMs: after(6000),
  });
}

function gainOf(gain: number): Gain {
  return { gain, interval: [gain - 0.1, gain > 1 ? Infinity : gain + 0.1], pValue: 0.001 };
}

function model(name: string, tasks: readonly string[], losses: readonly number[]): ModelLosses;
function model(name: string, tasks: readonly string[], losses: readonly number[], recipe: Recipe): ScoredModel;
function model(name: string, tasks: readonly string[], losses: readonly number[], recipe?: Recipe): ModelLosses {
  const scores = Object.fromEntries(tasks.map((task, i) => [task, { loss: losses[i] ?? 1 }]));
  const loss = losses.reduce((sum, one) => sum + one, 0) / losses.length;
  return { name, scores, loss, ...(recipe && { recipe }) };
}

function copyOf(name: string): Recipe {
  return { method: "passthrough", model: name };
}

function recipeOf(
  experts: readonly string[],
  groups: readonly string[],
  layers: number,
  random: RandomStream,
): MergeRecipe {
  const curve = (): Curve => {
    const values = Array.from(
      { length: layers },
      (_, layer) => 0.6 + 0.4 * Math.sin(layer / 3) + 0.1 * random.normal(),
    );
    return { layers: values, rest: 0.6 };
  };
  const weight = Object.fromEntries(
    groups.map((group) => [group, Object.fromEntries(experts.map((expert) => [expert, curve()]))]),
  );
  return { method: "task_arithmetic", parameters: { weight } };
}
