import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportIn } from "../../src/export/export-in.ts";
import { ExportPlace } from "../../src/export/export-place.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { openCheckpoint } from "../../src/experiment/open-checkpoint.ts";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { readRecipe } from "../../src/export/recipe-files.ts";
import { writeModel } from "../../src/export/write-model.ts";
import { declarations, type MethodName } from "../../src/merge/declarations.ts";
import type { RecipeWithColumns } from "../../src/merge/recipe.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { methodsByColumn } from "../merge/method-kinds.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { faultsOf } from "./exporting.ts";
import { recipeWithColumns } from "./recipe-with-columns.ts";

let models: string;
let experiment: Experiment;
/** A finished run, which tests only read. */
let finished: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  finished = join(models, "run");
  experiment = await tinyExperiment(models, { file: { budget: { evaluations: 5 } } });
  await launchRun(experiment, finished);
});
afterAll(() => rm(models, { recursive: true, force: true }));

interface WrittenColumns {
  readonly recipe: RecipeWithColumns;
  /** As the weights were scored, and as they were written. */
  readonly digests: readonly [scored: string, written: string];
  /** Mean of the guard rows of each task. */
  readonly losses: Readonly<Record<string, number>>;
}

/** Writes the run's model as if a merge with coefficients of columns had won it, and had been judged by `digest`. */
async function writeColumns(folder: string, method: MethodName, digest?: string): Promise<WrittenColumns> {
  const { workspace, tasks, ...outcome } = await readOutcome(finished);
  await using opened = workspace;
  const recipe = recipeWithColumns(method, opened.experts, opened.model);
  const rows = Object.fromEntries(tasks.map(({ name, guard }): [string, readonly TaskRow[]] => [name, guard]));
  const [scored] = await opened.evaluator.evaluate([recipe], rows, { digestOf: 0 });
  const verdict = { ...outcome.verdict!, weightsDigest: digest ?? scored!.digest! };
  const won = { ...outcome, winner: { ...outcome.winner, recipe }, verdict };
  const losses = Object.fromEntries(
    Object.entries(scored!.scores).map(([name, scores]) => [
      name,
      scores.reduce((sum, { loss }) => sum + loss, 0) / scores.length,
    ]),
  );
  return { recipe, digests: [scored!.digest!, await writeModel(opened, won, { tasks, folder })], losses };
}

describe("a merge with coefficients of columns", () => {
  test.each(methodsByColumn)("by %s is written with the weights that were scored, and reads back", async (method) => {
    const folder = await temporaryFolder();
    const { recipe, digests, losses } = await writeColumns(folder, method);
    expect(digests[1]).toBe(digests[0]);
    expect(readdirSync(folder).toSorted()).toEqual([
      "README.md",
      "SHA256SUMS",
      "columns.st",
      "config.json",
      "model.safetensors",
      "recipe.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(faultsOf(folder)).toEqual([]);
    expect(await readRecipe(folder)).toEqual(recipe);
    expect(await exportIn(folder, recipe)).toBe("this");
    expect(await exportIn(folder, { method, parameters: recipe.parameters })).toBe("another");
    const { base, experts } = experiment;
    const parents = { base, experts: Object.fromEntries(experts.map(({ name, path }) => [name, path])) };
    const again = await mergeModels({ recipe: folder, to: join(await temporaryFolder(), "again"), ...parents });
    await using merged = await openCheckpoint(again.model);
    expect(await merged.weightsDigest()).toBe(digests[0]);
    // As any folder of a model is scored.
    for (const { name, guard } of experiment.tasks) {
      const { loss } = await scoreModel({ model: folder, rows: guard as readonly string[], precision: "f32" });
      expect(loss).toBeCloseTo(losses[name]!, 6);
    }
  });

  test("is no merge that was judged by other weights", async () => {
    const folder = await temporaryFolder();
    expect(await refusal(writeColumns(folder, "linear", "0".repeat(64)))).toContain(
      `expected merged weights of digest ${"0".repeat(64)}, as they were scored, found `,
    );
  });

  test("has a card that tells of the columns and why mergekit cannot make it", async () => {
    const folder = await temporaryFolder();
    await writeColumns(folder, "task_arithmetic");
    const card = readFileSync(join(folder, "README.md"), "utf8");
    const recipe = card.slice(card.indexOf("Method `"), card.indexOf("## Search"));
    expect(
      recipe
        .replaceAll(/-?\d+\.\d{3}/g, "#")
        .replace(/`[0-9a-f]{64}`/, "`#`")
        .replace(declarations.task_arithmetic.source, "..."),
    ).toMatchInlineSnapshot(`
      "Method \`task_arithmetic\`: base + sum of weight x (expert - base) (Ilharco et al. 2023, arXiv:#89).

      | weight (mean over the layers, from which columns deviate) | nature | craft |
      | --- | ---: | ---: |
      | embedding | # | # |
      | norm | # | # |
      | attention | # | # |
      | mlp | # | # |

      Each input column of 16 tensors has a coefficient of its own for each expert, in the place of the tensor's: 576 numbers. An export has them in \`columns.st\`, of which \`safetensors.torch.load_file\` makes a dictionary.

      mergekit has one coefficient for a tensor, so an export has no \`mergekit_config.yml\`. The class that \`evomerge export --starter-kit\` writes makes the same weights of the parents.

      The exact coefficients are in \`recipe.json\`. Digest of the weights: \`#\`.

      "
    `);
  });

  test("takes the place of an earlier export, and leaves its place to another, with every file", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    expect(existsSync(join(to, "mergekit_config.yml"))).toBe(true);
    {
      await using place = await ExportPlace.take(to);
      await writeColumns(place.staged, "linear");
      await place.publish();
    }
    expect(faultsOf(to)).toEqual([]);
    expect(existsSync(join(to, "mergekit_config.yml"))).toBe(false);
    await exportRun(finished, { to });
    expect(faultsOf(to)).toEqual([]);
    expect(existsSync(join(to, "columns.st"))).toBe(false);
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
  });

  test("leaves nothing behind where it does not get its place", async () => {
    const to = join(await temporaryFolder(), "model");
    {
      await using place = await ExportPlace.take(to);
      await writeColumns(place.staged, "linear");
      mkdirSync(join(to));
    }
    expect(readdirSync(join(to, ".."))).toEqual(["model"]);
    expect(readdirSync(to)).toEqual([]);
  });
});
