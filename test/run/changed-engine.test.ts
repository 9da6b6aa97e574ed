import { join } from "node:path";
import { expect, test } from "vitest";
import { openEngine } from "../../src/experiment/open-engine.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

test("a run that goes on with another engine says so, and with the same one nothing", async () => {
  const experiment = await tinyExperiment(await temporaryFolder(), { file: { budget: { evaluations: 5 } } });
  const folder = join(experiment.base, "..", "run");
  await launchRun(experiment, folder);
  const noticesOf = async (engine: "ggml" | "tfjs"): Promise<string[]> => {
    const opened = await openEngine({ engine, precision: "f32" });
    const notices: string[] = [];
    const onEvent = (event: { type: string; text?: string }): void =>
      void (event.type === "notice" && notices.push(event.text!));
    await resumeRun(folder, { engine: opened, onEvent });
    return notices.filter((text) => text.includes(" began on "));
  };
  expect(await noticesOf("ggml")).toEqual([]);
  expect(await noticesOf("tfjs")).toEqual([
    expect.stringMatching(
      /^this run began on ggml on CPU .+; what is scored from here on is scored by TensorFlow\.js wasm /,
    ),
  ]);
});
