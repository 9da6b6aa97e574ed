/** The shipped experiment as a function of points and rows, without a run around it. */
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { loadTasks, type Task } from "../../src/experiment/load-tasks.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import type { Selection } from "../../src/evaluate/evaluator.ts";
import { combinedLoss, factorOf, type ObjectiveTask } from "../../src/run/session/objective.ts";
import type { Candidate, Score } from "../../src/search/optimizer.ts";
import { buildGenome, type Genome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { splitTasks } from "../../src/tasks/split.ts";
import { stratifiedSubset } from "../../src/tasks/subset.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { mergeSpace } from "../../test/merge-space.ts";

/** A candidate with a gradient costs as much as so many that are only scored. */
export const GRADIENT_COST = 4;

/** Share of the search rows, by group, that steps do not see where a walk is stopped by them. */
const HELD_OUT = 0.2;

/** A search row: its part of the combined loss, which is the sum of all losses times these, and its tokens, as layers compute them. */
export interface SearchRow {
  readonly task: string;
  readonly row: TaskRow;
  readonly part: number;
  readonly tokens: number;
}

/** Rows and what multiplies the loss of each in the combined loss. */
export type WeightedRows = readonly { readonly row: TaskRow; readonly factor: number }[];

export class Problem implements AsyncDisposable {
  readonly search: Selection;
  readonly guard: Selection;
  /** The search rows in two parts without a common group. */
  readonly parts: Readonly<Record<"steered" | "heldOut", Selection>>;
  /** CPU seconds of a forward pass over all search rows. */
  readonly pace: number;
  readonly #workspace: Workspace;
  readonly #objective: readonly ObjectiveTask[];
  #searchRows: readonly SearchRow[] | undefined;

  private constructor(
    workspace: Workspace,
    tasks: readonly Task[],
    { objective, pace }: { readonly objective: readonly ObjectiveTask[]; readonly pace: number },
  ) {
    const files = tasks.map(({ name, search }) => ({ file: name, rows: search }));
    const splits = splitTasks(files, { seed: 1, searchFraction: 1 - HELD_OUT });
    this.search = selection(tasks, ({ search }) => search);
    this.guard = selection(tasks, ({ guard }) => guard);
    this.parts = {
      steered: selection(tasks, (_, i) => splits[i]!.search),
      heldOut: selection(tasks, (_, i) => splits[i]!.guard),
    };
    this.pace = pace;
    this.#workspace = workspace;
    this.#objective = objective;
  }

  static async open(): Promise<Problem> {
    const experiment = await loadExperiment("experiments/demo.yaml");
    const workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    const unscaled = tasks.map(({ name, weight }) => ({ name, weight, scale: 1 }));
    const problem = new Problem(workspace, tasks, { objective: unscaled, pace: Number.NaN });
    const average = problem.genome(averageSpace(mergeSpace(experiment.space)));
    const [{ scores } = { scores: {} }] = await workspace.evaluator.evaluate(
      [average.decode(average.start)],
      problem.search,
    );
    const scaled = unscaled.map((task) => ({ ...task, scale: combinedLoss({ scores }, [task]) }));
    // Again: what is made once is made by now.
    const before = process.cpuUsage();
    await problem.losses(average, [average.start], problem.search);
    const { user, system } = process.cpuUsage(before);
    return new Problem(workspace, tasks, { objective: scaled, pace: (user + system) / 1e6 });
  }

  genome(space: SearchSpace): Genome {
    return buildGenome(space, this.#workspace);
  }

  /** Part of the search rows that these are: what a pass of one candidate costs. */
  share(rows: Selection): number {
    return count(rows) / count(this.search);
  }

  /** Fresh rows, as those of a run's generation. */
  draw(rows: Selection, fraction: number, seed: number, generation: number): Selection {
    const entries = Object.entries(rows).map(([task, own]) => {
      const stream = RandomStream.of(seed, "rows", task, generation);
      return [task, stratifiedSubset(own, Math.min(1, fraction), stream)] as const;
    });
    return Object.fromEntries(entries);
  }

  /** All search rows, task by task. */
  get searchRows(): readonly SearchRow[] {
    return (this.#searchRows ??= this.#describedRows());
  }

  #describedRows(): readonly SearchRow[] {
    return this.#objective.flatMap((task) => {
      const rows = this.search[task.name] ?? [];
      const part = factorOf(task, this.#objective) / rows.length;
      const tokensOf = (row: TaskRow): number => this.#workspace.signal.tokensOf({ [task.name]: [row] });
      return rows.map((row) => ({ task: task.name, row, part, tokens: tokensOf(row) }));
    });
  }

  /** The loss of each of these rows, task by task, at each point. */
  async rowLosses(genome: Genome, points: readonly Float64Array[], rows: Selection): Promise<number[][]> {
    const recipes = points.map((point) => genome.decode(point));
    const evaluations = await this.#workspace.signal.evaluate(recipes, rows);
    return evaluations.map(({ scores }) => Object.keys(rows).flatMap((task) => scores[task]!.map(({ loss }) => loss)));
  }

  /** The gradient of the loss of each search row, in the order of `searchRows`. */
  async rowGradients(genome: Genome, point: Float64Array): Promise<Float64Array[]> {
    const gradients: Float64Array[] = [];
    for (const { task, row } of this.searchRows) {
      const [own] = await this.#workspace.signal.gradient([genome.decode(point)], { [task]: [row] }, { [task]: 1 });
      gradients.push(genome.pullBack(point, own!.derivatives));
    }
    return gradients;
  }

  /** Combined losses, 1 for the uniform average on all search rows. */
  async losses(genome: Genome, points: readonly Float64Array[], rows: Selection): Promise<number[]> {
    const recipes = points.map((point) => genome.decode(point));
    const evaluations = await this.#workspace.signal.evaluate(recipes, rows);
    return evaluations.map((evaluation) => combinedLoss(evaluation, this.#objective));
  }

  /** Scores as candidates want them: all of them with gradients, or none. */
  async scores(genome: Genome, candidates: readonly Candidate[], rows: Selection): Promise<Score[]> {
    const points = candidates.map(({ point }) => point);
    if (!candidates.some(({ wantsGradient }) => wantsGradient)) {
      return (await this.losses(genome, points, rows)).map((loss) => ({ loss }));
    }
    const recipes = points.map((point) => genome.decode(point));
    const weights = this.#objective.map((task) => [
      task.name,
      factorOf(task, this.#objective) / (rows[task.name]?.length ?? 0),
    ]);
    const gradients = await this.#workspace.signal.gradient(recipes, rows, Object.fromEntries(weights));
    return gradients.map((one, i) => ({
      loss: combinedLoss(one, this.#objective),
      gradient: genome.pullBack(points[i]!, one.derivatives),
    }));
  }

  /** The same of weighted rows, and the loss of each of these by candidate. */
  async weightedScores(genome: Genome, candidates: readonly Candidate[], weighted: WeightedRows) {
    const points = candidates.map(({ point }) => point);
    // Each row is a task of its own, as only tasks have weights.
    const rows = Object.fromEntries(weighted.map(({ row }, i) => [`row ${i}`, [row]]));
    const weights = Object.fromEntries(weighted.map(({ factor }, i) => [`row ${i}`, factor]));
    const sum = (losses: readonly number[]): number =>
      losses.reduce((all, loss, i) => all + weighted[i]!.factor * loss, 0);
    if (!candidates.some(({ wantsGradient }) => wantsGradient)) {
      const losses = await this.rowLosses(genome, points, rows);
      return { losses, scores: losses.map((own): Score => ({ loss: sum(own) })) };
    }
    const recipes = points.map((point) => genome.decode(point));
    const gradients = await this.#workspace.signal.gradient(recipes, rows, weights);
    const losses = gradients.map(({ scores }) => Object.keys(rows).map((task) => scores[task]![0]!.loss));
    const scores = gradients.map(({ derivatives }, i): Score => ({
      loss: sum(losses[i]!),
      gradient: genome.pullBack(points[i]!, derivatives),
    }));
    return { losses, scores };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workspace[Symbol.asyncDispose]();
  }
}

/** Its start is the uniform average. */
function averageSpace(space: SearchSpace): SearchSpace {
  const weight = { range: [0, 1.5], start: "uniform" } as const;
  return { ...space, method: "task_arithmetic", parameters: { weight } };
}

function selection(tasks: readonly Task[], rowsOf: (task: Task, index: number) => Task["search"]): Selection {
  return Object.fromEntries(tasks.map((task, i) => [task.name, rowsOf(task, i)]));
}

function count(rows: Selection): number {
  return Object.values(rows).reduce((sum, { length }) => sum + length, 0);
}
