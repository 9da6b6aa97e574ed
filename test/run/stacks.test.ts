import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportRun } from "../../src/export/export-run.ts";
import { resumeRun } from "../../src/run/run-experiment.ts";
import { interrupt, launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

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
});
