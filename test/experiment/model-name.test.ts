import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findModel } from "../../src/experiment/model-name.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { nowhere, testHub } from "../hub/test-hub.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";

describe("findModel", () => {
  test.each([
    ["base", "base"],
    ["./models/mixed", "models/mixed"],
    ["models/deep/mixed", "models/deep/mixed"],
    ["/models/mixed", "/models/mixed"],
    ["models/there", "models/there"],
    ["~/mixed", join(homedir(), "mixed")],
  ])("takes %s for a folder, be it there or not", async (text, path) => {
    const from = await temporaryFolder();
    mkdirSync(join(from, "models/there"), { recursive: true });
    expect(findModel(text, from)).toEqual({ folder: path.startsWith("/") ? path : join(from, path) });
  });

  test("takes a name for the Hub's unless its first part is a folder that is there", async () => {
    const from = await temporaryFolder();
    const reference = { name: "models/mixed", revision: "main" };
    expect(findModel("models/mixed", from)).toEqual({ reference });
    mkdirSync(join(from, "models"));
    expect(() => findModel("models/mixed", from)).toThrow(
      `models/mixed: no such folder, though there is one at ${from}/models; for the model of that name on the Hub write models/mixed@main`,
    );
    expect(findModel("models/mixed@main", from)).toEqual({ reference });
  });
});

describe("a missing folder that reads like a name on the Hub", () => {
  test("is called missing without a request where its parent is there", async () => {
    const folder = await temporaryFolder();
    const file = await writeTinyExperiment(folder, { file: { base: "rows/mixed" } });
    expect(await refusal(loadExperiment(file))).toMatch(
      /\/tiny\.yaml:2:11: base: rows\/mixed: no such folder, though there is one at /,
    );
  });

  test("is said to be neither here nor in the cache where nobody answers", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeTinyExperiment(folder, { file: { base: "models/mixed" } }));
    const hub = await testHub(await nowhere(), folder);
    const sentence = new RegExp(
      `^models/mixed: there is no such folder, and no copy is in ${folder}/cache; .*connection refused after 2 tries; check the network`,
    );
    expect(await refusal(launchRun(experiment, join(folder, "run"), { hub }))).toMatch(sentence);
    const again = await testHub(await nowhere(), folder);
    const scored = scoreModel({ model: "models/mixed", rows: join(folder, "rows/quiz.jsonl"), hub: again });
    expect(await refusal(scored)).toMatch(sentence);
  });
});
