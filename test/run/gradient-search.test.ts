import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { combinedLoss, type ObjectiveTask } from "../../src/run/session/objective.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";
import { mergeSpace } from "../merge-space.ts";

/** Weights of models in f32, so that a merge is a smooth function of its genes; a step counts as four evaluations. */
async function experimentWith(algorithm: string, search: object = {}): Promise<Experiment> {
  const file = { search: { algorithm, rowFraction: 1, ...search }, budget: { evaluations: 40 } };
  return tinyExperiment(await temporaryFolder(), { file, model: { dtype: "f32" } });
}

describe("a search by gradient", () => {
  test("records the derivatives of the combined loss by its genes", async () => {
    const experiment = await experimentWith("gradient-walk");
    const { folder } = await launch(experiment, join(await temporaryFolder(), "run"));
    const [ask] = recorded(folder, "ask");
    const [result] = recorded(folder, "result");
    const journal = readJournal(folder);
    const gradient = journal.readNumbers(result!.gradients!);
    await using workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    const genome = buildGenome(mergeSpace(experiment.space), workspace);
    const { scales } = recorded(folder, "baselines")[0]!;
    const objective = tasks.map(({ name, weight }): ObjectiveTask => ({ name, weight, scale: scales[name]! }));
    const rows = Object.fromEntries(tasks.map(({ name, search }) => [name, search]));
    const point = journal.readPoints(ask!.points);
    const step = 0.01;
    const moved = [...point.keys()].flatMap((j) => [point.with(j, point[j]! + step), point.with(j, point[j]! - step)]);
    const losses = (
      await workspace.evaluator.evaluate(
        [point, ...moved].map((one) => genome.decode(one)),
        rows,
      )
    ).map((one) => combinedLoss(one, objective));
    expect(result!.losses[0]).toBeCloseTo(losses[0]!, 5);
    const length = Math.hypot(...gradient);
    expect(length).toBeGreaterThan(0);
    for (const [j, derivative] of gradient.entries()) {
      const difference = (losses[1 + 2 * j]! - losses[2 + 2 * j]!) / (2 * step);
      expect(Math.abs(derivative - difference)).toBeLessThan(0.02 * length);
    }
  });

  test.each([
    ["gradient-walk", 10, 1],
    ["lineages", 2, 4],
  ])("by %s spends 40 evaluations on %i generations of %i gradients", async (algorithm, generations, candidates) => {
    const { folder, events } = await launch(await experimentWith(algorithm), join(await temporaryFolder(), "run"));
    const results = recorded(folder, "result");
    expect(results).toHaveLength(generations);
    for (const { losses, work } of results) {
      expect(losses).toHaveLength(candidates);
      expect(work).toBe(4 * candidates);
    }
    expect(results.at(-1)!.spent).toBeCloseTo((4 * candidates * generations) / 40, 12);
    expect(events.findLast(({ type }) => type === "generation")).toMatchObject({ work: 4 * candidates * generations });
  });

  test("leads to a merge that is better than where it began", async () => {
    const { folder } = await launch(await experimentWith("gradient-walk"), join(await temporaryFolder(), "run"));
    const losses = recorded(folder, "result").map((result) => result.losses[0]!);
    const [finalists] = recorded(folder, "finalists");
    expect(Math.min(...finalists!.models.map(({ loss }) => loss))).toBeLessThan(losses[0]!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test("has less of its budget spent once it is given more, and walks on from where it stood", async () => {
    const experiment = withOverrides(await experimentWith("gradient-walk"), { budget: { evaluations: 16 } });
    const { folder } = await launch(experiment, join(await temporaryFolder(), "run"));
    await resumeRun(folder, { budget: { evaluations: 40 } });
    const spent = recorded(folder, "result").map((result) => result.spent);
    expect(spent).toEqual([0.25, 0.5, 0.75, 1, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    const journal = readJournal(folder);
    const points = recorded(folder, "ask").map((ask) => journal.readPoints(ask.points));
    const distance = (i: number): number => Math.hypot(...points[i]!.map((value, j) => value - points[i - 1]![j]!));
    expect(distance(4)).toBeLessThan(distance(5));
  });

  test("has no population where it is one point", async () => {
    await expect(experimentWith("gradient-walk", { population: 4 })).rejects.toThrow(
      "search.population: a gradient-walk is one point and has no population; leave it out, or name an algorithm that has one",
    );
  });
});
