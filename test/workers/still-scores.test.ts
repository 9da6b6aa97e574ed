import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { stillScores } from "../../src/workers/still-scores.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

test("parents score as they are, unless a file of one cannot be read", async () => {
  const experiment = await tinyExperiment(await temporaryFolder());
  await using whole = await openWorkspace(experiment);
  await using damaged = await openWorkspace(experiment);
  const { signal } = new AbortController();
  expect(await stillScores(whole, signal)).toBe(true);
  await truncate(join(experiment.experts.at(-1)!.path, "model.safetensors"), 10_000);
  expect(await stillScores(damaged, signal)).toBe(false);
});
