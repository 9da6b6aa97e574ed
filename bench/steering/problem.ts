/** The shipped experiment as a function of points and rows, without a run around it. */
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { loadTasks, type Task } from "../../src/experiment/load-tasks.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import type { Selection } from "../../src/evaluate/evaluator.ts";
import { combinedLoss, factorOf, type ObjectiveTask } from "../../src/run/objective.ts";
import type { Candidate, Score } from "../../src/search/optimizer.ts";
import { buildGenome, type Genome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { splitTasks } from "../../src/tasks/split.ts";
import { stratifiedSubset } from "../../src/tasks/subset.ts";
import { RandomStream } from "../../src/tensor/random.ts";

/** A candidate with a gradient costs as much as so many that are only scored. */
export const GRADIENT_COST = 4;

/** Share of the search rows, by group, that steps do not see where a walk is stopped by them. */
const HELD_OUT = 0.2;

export class Problem implements AsyncDisposable {
  readonly search: Selection;
  readonly guard: Selection;
  /** The search rows in two parts without a common group. */
  readonly parts: Readonly<Record<"steered" | "heldOut", Selection>>;
  /** CPU seconds of a forward pass over all search rows. */
  readonly pace: number;
  readonly #workspace: Workspace;
  readonly #objective: readonly ObjectiveTask[];

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
    const average = problem.genome(averageSpace(experiment.space));
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
