import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { openExperiment, type OpenedExperiment } from "../../src/library/open-experiment.ts";
import { hasColumns } from "../../src/merge/recipe.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { loadSpace } from "../../src/space/spaces.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

function weightsIn(model: string): Promise<Buffer> {
  return readFile(join(model, "model.safetensors"));
}

describe("an opened experiment", () => {
  let folder: string;
  let experiment: Experiment;
  let opened: OpenedExperiment;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "evomerge-"));
    experiment = await tinyExperiment(folder);
    opened = await openExperiment(experiment);
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test("scores as a run does, and merges what it exports", async () => {
    const run = join(folder, "run");
    const { winner, verdict } = await launchRun(experiment, run);
    const [scored] = await opened.score([winner.recipe], { rows: "guard" });
    const judged = verdict?.models.find(({ name }) => name === winner.name)?.scores;
    expect(Object.keys(judged ?? {})).toEqual(["quiz", "news"]);
    for (const [task, { loss }] of Object.entries(judged ?? {})) expect(scored?.tasks[task]?.loss).toBe(loss);
    const { model } = await exportRun(run);
    const merged = await opened.merge(winner.recipe, join(folder, "merged"));
    expect((await weightsIn(merged.model)).equals(await weightsIn(model))).toBe(true);
  });

  test("has points with coefficients by column, and merges of them that a recipe.json is, too", async () => {
    const space = await loadSpace("task-arithmetic-columns");
    await using byColumn = await openExperiment({ ...experiment, space });
    const { genome } = byColumn;
    expect(genome.dimension).toBeGreaterThan(genome.genes.length);
    const recipe = genome.decode(Float64Array.from(genome.start, (value, i) => value * (1 - (i % 7) / 20)));
    expect(hasColumns(recipe)).toBe(true);
    const [scored] = await byColumn.score([recipe], { limit: 2 });
    expect(scored?.rows["quiz"]).toHaveLength(2);
    const { model } = await byColumn.merge(recipe, join(folder, "columns"));
    const { base, experts } = experiment;
    const parents = { base, experts: Object.fromEntries(experts.map(({ name, path }) => [name, path])) };
    const again = await mergeModels({ recipe: model, ...parents, to: join(folder, "again") });
    expect((await weightsIn(again.model)).equals(await weightsIn(model))).toBe(true);
  });

  test.each([
    [{ method: "stack", rest: "base", layers: [{ model: "base", layer: 99, scale: 1 }] }, "recipe: layers: expected"],
    [{ method: "passthrough", model: "<script>" }, "recipe: model: expected one of base, "],
    [{ method: "tiez" }, "recipe: method: expected"],
    [{ method: "task_arithmetic", parameters: { weight: { "\u202E": {} } } }, "recipe: weight: expected values for"],
    [{ method: "linear", parameters: { weight: {} }, seed: -1 }, "recipe: seed: expected at least 0, found -1"],
  ])("refuses the recipe %j", async (recipe, sentence) => {
    // As a program without types gives it.
    const given = recipe as unknown as Parameters<OpenedExperiment["merge"]>[0];
    await expect(opened.score([given])).rejects.toThrow(sentence);
    await expect(opened.merge(given, join(folder, "refused"))).rejects.toThrow(sentence);
  });
});
