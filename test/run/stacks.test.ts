import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { openModel } from "../../src/model/open-model.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { stackOf, writeStack } from "../evaluate/stacked-model.ts";
import { interrupt, launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

const demo = join(import.meta.dirname, "..", "..", "experiments", "demo");

async function digestOf(folder: string): Promise<string> {
  await using checkpoint = await Checkpoint.open(folder);
  const digest = new WeightsDigest();
  for (const [name, info] of checkpoint.tensors) await digest.add(info, await checkpoint.read(name));
  return digest.digest();
}

describe("a search of stacks", () => {
  test.each(["cma-es", "auto", "random"])(
    "begins at the best parent's own, resumes to the same bits and is exported with its layers: %s",
    async (algorithm) => {
      const folder = await temporaryFolder();
      const file = {
        space: { method: "stack", layers: { atMost: 3 }, window: 1 },
        search: { algorithm, ...(algorithm !== "auto" && { population: 4 }), rowFraction: 0.5 },
        budget: { evaluations: 24 },
      };
      const experiment = await tinyExperiment(folder, { file, model: { layers: 2, vocabulary: 60 } });
      const { folder: run, outcome } = await launch(experiment, join(folder, "run"));
      expect(recorded(run, "plan")[0]!.genes).toEqual([
        "rest",
        ...[0, 1, 2].flatMap((i) => ["used", "model", "layer", "scale"].map((own) => `${i}.${own}`)),
      ]);

      const parts = join(folder, "parts");
      await interrupt(experiment, parts, ({ type }) => type === "generation");
      await resumeRun(parts);
      expect(traces(parts)).toEqual(traces(run));

      const { recipe } = outcome.winner;
      const { model, weightsDigest } = await exportRun(run);
      expect(weightsDigest).toBe(outcome.verdict!.weightsDigest);
      const config = JSON.parse(await readFile(join(model, "config.json"), "utf8")) as { num_hidden_layers: number };
      expect(config.num_hidden_layers).toBe(recipe.method === "stack" ? recipe.layers.length : 2);
    },
  );

  test.each([
    ["auto", 1],
    ["auto", 2],
    ["cma-es", 1],
  ])(
    "finds the stack that layers out of place are put right by, to the last bit: %s, seed %i",
    async (algorithm, seed) => {
      const folder = await temporaryFolder();
      await using whole = await Checkpoint.open(join(demo, "nature"));
      const parents = { checkpoints: new Map([["base", whole]]), model: openModel(whole, "f32") };
      // Of a model that knows its facts, one copy has neighbouring layers the wrong way round, the other has two of its four twice.
      for (const [name, layers] of Object.entries({
        base: "base1 base0 base3 base2",
        mixed: "base1 base1 base2 base2",
      })) {
        await writeStack(join(folder, name), parents, stackOf(layers));
        for (const file of ["tokenizer.json", "tokenizer_config.json"])
          await cp(join(demo, "nature", file), join(folder, name, file));
      }
      const rows = (await readFile(join(demo, "cosmosqa.search.jsonl"), "utf8")).split("\n");
      // What this model never learnt tells nothing of its layers.
      const learnt = rows.filter((row) => / (?:home|food|fear)"}/.test(row));
      await writeFile(join(folder, "rows.jsonl"), learnt.slice(0, 48).join("\n"));
      const path = join(folder, "planted.yaml");
      const file = {
        base: "base",
        experts: ["mixed"],
        space: { method: "stack", layers: { exactly: 4 }, window: 1, scale: 1 },
        tasks: { facts: { rows: "rows.jsonl" } },
        search: { algorithm, rowFraction: 0.5 },
        budget: { evaluations: algorithm === "auto" ? 150 : 200 },
        precision: "f32",
        seed,
      };
      await writeFile(path, JSON.stringify(file));
      const { outcome } = await launch(await loadExperiment(path), join(folder, "run"));
      expect(outcome.winner.recipe).toMatchObject({ method: "stack", rest: "base" });
      expect(outcome.verdict!.weightsDigest).toBe(await digestOf(join(demo, "nature")));
    },
  );
});
