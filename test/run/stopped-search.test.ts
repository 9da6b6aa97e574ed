import { join } from "node:path";
import { expect, test } from "vitest";
import { isFlat } from "../../src/run/stopped-search.ts";
import { launch } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

const tokenizer = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers", "byte-level");

test("a generation is flat when all losses are equal to the bit, or none is a number", () => {
  const time = { models: 1, tokens: 1, passes: 1, ms: 1, waitMs: 0 };
  const rowLosses = { offset: 0, count: 0, checksum: "" };
  const flat = (losses: readonly number[], meanLoss: number): boolean =>
    isFlat({ generation: 0, losses, meanLoss, rowLosses, time, elapsedMs: 1 });
  expect(flat([1, 1], 1)).toBe(true);
  expect(flat([Number.NaN, Number.NaN], Number.NaN)).toBe(true);
  expect(flat([1, 1 + 2 ** -50], 1)).toBe(false);
  expect(flat([1, Number.NaN], 1)).toBe(false);
});

test("a search whose coefficients change nothing stops and says why", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder, { file: { budget: { evaluations: 100 } } });
  // They differ from their base in the embedding of a token that no row has.
  for (const [i, name] of ["nature", "craft"].entries()) {
    const edit = (weight: string, values: Float32Array): void => {
      if (weight === "model.embed_tokens.weight") values.fill(i + 1, 0, 16);
    };
    await writeTinyModel(join(folder, name), { tokenizer, edit });
  }
  const { folder: run, events, outcome } = await launch(experiment, join(folder, "run"));
  expect(recorded(run, "result")).toHaveLength(3);
  expect(events).toContainEqual({
    type: "stopped",
    phase: "search",
    why: "all candidates of the last 3 generations had the same loss, so that there is nothing to choose by; are the experts equal to their base, or the ranges of the search space too narrow?",
  });
  expect(outcome.winner.name).toBe("base");
  expect(outcome.verdict).toBeDefined();
});
