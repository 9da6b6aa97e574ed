import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { divided } from "../../src/tensor/float64.ts";
import { interrupt, launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

const recipes = {
  // Two layers: the knots are their values, and the space's two cosines reach them.
  tilted: {
    method: "task_arithmetic",
    weight: { nature: { attention: [0.3, 0.5], rest: 0.75 }, craft: { attention: 0.6, rest: [0.9, 0.6] } },
  },
  halves: { method: "linear", weight: { nature: 0.5, craft: 0.5 } },
};

/** The gene of a level in the range 0 to 1.5. */
function level(value: number): number {
  return value / 1.5;
}

/** The gene of a deviation over two layers, where the cosine is 0.7071 and -0.7071; a gene of 0.5 is no deviation. */
function tilt(first: number, last: number): number {
  return 0.5 + (first - last) / 2 / Math.SQRT1_2 / 1.5;
}

/** The start of a search, and the points of its first generation beside it. */
function plannedPoints(run: string): Float64Array[] {
  const { start, inject, genes } = recorded(run, "plan")[0]!;
  const journal = readJournal(run);
  return [journal.readPoints(start), ...(inject ? divided(journal.readPoints(inject), genes.length) : [])];
}

/** A tiny experiment with both recipes. */
async function experimentIn(folder: string, file: object = {}): Promise<Experiment> {
  return tinyExperiment(folder, { file: { recipes, ...file } });
}

describe("a run with recipes", () => {
  test("scores them with the baselines, starts from those of its method, and has all of them in the verdict", async () => {
    const folder = await temporaryFolder();
    const { folder: run, events, outcome } = await launch(await experimentIn(folder), join(folder, "run"));
    const [baselines] = recorded(run, "baselines");
    expect(baselines!.models.slice(-2)).toMatchObject([
      { name: "tilted", recipe: { method: "task_arithmetic" } },
      { name: "halves", recipe: { method: "linear" } },
    ]);
    for (const { loss } of baselines!.models.slice(-2)) expect(loss).toBeGreaterThan(0);
    expect(events.filter(({ type }) => type === "notice")).toEqual([
      {
        type: "notice",
        text: "the recipe halves is linear and the search space task_arithmetic; it is a baseline, no starting point",
      },
    ]);

    const genes = [level(0.4), tilt(0.3, 0.5), level(0.75), 0.5, level(0.6), 0.5, level(0.75), tilt(0.9, 0.6)];
    const nearest = plannedPoints(run).map((point) =>
      Math.max(...point.map((value, i) => Math.abs(value - genes[i]!))),
    );
    expect(Math.min(...nearest)).toBeLessThan(1e-12);

    const kinds = outcome.verdict!.models.filter(({ kind }) => kind === "recipe");
    expect(kinds.map(({ name, gains }) => [name, gains === undefined])).toEqual([
      ["tilted", false],
      ["halves", false],
    ]);
  });

  test("injects a recipe however it ranks, and nothing else, unless the search is not to start from baselines", async () => {
    const folder = await temporaryFolder();
    const bad = { worst: { method: "task_arithmetic", weight: { nature: 0, craft: [0, 0.01] } } };
    const seeded = await launch(await experimentIn(folder, { recipes: bad }), join(folder, "seeded"));
    const worst = [0, 0.5, 0, 0.5, level(0), tilt(0, 0.01), level(0.005), 0.5];
    const distances = plannedPoints(seeded.folder).map((point) =>
      Math.max(...point.map((value, i) => Math.abs(value - worst[i]!))),
    );
    expect(Math.min(...distances)).toBeLessThan(0.01);
    // No other baseline is.
    expect(distances).toHaveLength(2);
    const search = { algorithm: "cma-es", population: 4, rowFraction: 0.5, seedFromBaselines: false };
    const blind = await launch(await experimentIn(folder, { recipes: bad, search }), join(folder, "blind"));
    expect(plannedPoints(blind.folder)).toHaveLength(1);
  });

  test("scores more recipes than the first generation holds, injects those that did better and names the others", async () => {
    const folder = await temporaryFolder();
    const weights = [0.1, 0.2, 0.3, 0.5, 0.6, 0.7];
    const many = Object.fromEntries(
      weights.map((weight, i) => [`r${i}`, { method: "task_arithmetic", weight: { nature: weight, craft: weight } }]),
    );
    const search = { algorithm: "cma-es", population: 2, rowFraction: 0.5 };
    const run = await launch(await experimentIn(folder, { recipes: many, search }), join(folder, "run"));
    expect(plannedPoints(run.folder)).toHaveLength(3);
    const [baselines] = recorded(run.folder, "baselines");
    expect(baselines!.models.filter(({ name }) => name in many)).toHaveLength(weights.length);
    const notice = run.events.find(({ type }) => type === "notice");
    expect(notice).toHaveProperty(
      "text",
      expect.stringMatching(
        /^the first generation has no room for \d of the given recipes: r\d.*; they are baselines, and the search begins with those that did better$/,
      ),
    );
    expect(run.outcome.verdict!.models.filter(({ kind }) => kind === "recipe").length).toBeGreaterThan(4);
  });

  test("resumes to the same bits, and is read as it was", async () => {
    const folder = await temporaryFolder();
    const experiment = await experimentIn(folder);
    const whole = await launch(experiment, join(folder, "whole"));
    const parts = join(folder, "parts");
    await interrupt(experiment, parts, ({ type }) => type === "generation");
    await resumeRun(parts);
    expect(traces(parts)).toEqual(traces(whole.folder));
    await using read = (await readOutcome(parts)).workspace;
    expect(read.experts).toEqual(["nature", "craft"]);
  });
});
