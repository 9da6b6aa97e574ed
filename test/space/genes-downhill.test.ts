import { expect, test } from "vitest";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import type { Selection } from "../../src/evaluate/evaluator.ts";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import type { Score } from "../../src/search/optimizer.ts";
import { buildGenome } from "../../src/space/genome.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

const bySet: SearchSpace["groups"] = [["attention"], ["mlp", "norm"], ["embedding"]];

test.each([
  { groups: "tensors", depth: { curve: "per-layer" } },
  { groups: bySet, depth: { curve: "dct", terms: 2 } },
] as const)(
  "genes of $groups have the derivatives of the rows' losses, and a walk goes down by them",
  async (shape) => {
    const experiment = await tinyExperiment(await temporaryFolder(), {
      file: { precision: "f32" },
      model: { dtype: "f32" },
    });
    await using workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    const rows: Selection = Object.fromEntries(tasks.map(({ name, search }) => [name, search]));
    const weights = Object.fromEntries(tasks.map(({ name, search }) => [name, 1 / search.length]));
    const parameters = { weight: { range: [0, 1.5] as const, start: 0.9 } };
    const genome = buildGenome({ method: "task_arithmetic", ...shape, parameters }, workspace);

    const scoreAt = async (point: Float64Array): Promise<Required<Omit<Score, "losses">>> => {
      const [found] = await workspace.evaluator.gradient([genome.decode(point)], rows, weights);
      const losses = Object.entries(found!.scores).flatMap(([task, own]) =>
        own.map(({ loss }) => weights[task]! * loss),
      );
      const loss = losses.reduce((sum, one) => sum + one, 0);
      return { loss, gradient: genome.pullBack(point, found!.derivatives) };
    };
    const random = RandomStream.of(1, "direction");
    const direction = genome.start.map(() => random.normal());
    const along = (by: number): Float64Array => genome.start.map((value, j) => value + by * direction[j]!);
    const { gradient } = await scoreAt(genome.start);
    const slope = gradient.reduce((sum, derivative, j) => sum + derivative * direction[j]!, 0);
    const [after, before] = [await scoreAt(along(2e-3)), await scoreAt(along(-2e-3))];
    expect(slope / ((after.loss - before.loss) / 4e-3)).toBeCloseTo(1, 2);

    const walk = new GradientWalk({ start: genome.start, sigma: genome.sigma, rates: genome.rates, seed: 1 });
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) {
      const [candidate] = walk.ask();
      const score = await scoreAt(candidate!.point);
      losses.push(score.loss);
      walk.tell([score], step / 11);
    }
    expect(losses.at(-1)!).toBeLessThan(0.98 * losses[0]!);
  },
);
