import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { openExperiment } from "../../src/library/open-experiment.ts";
import { evomerge } from "../cli/evomerge.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeExample } from "./votes-experiment.ts";

const capped = join(import.meta.dirname, "..", "..", "experiments", "plugins", "capped.mjs");

describe("a model that is scored by itself", () => {
  test("has the losses and metrics of a plugin's rows that a run of them has", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeExample(folder));
    await using opened = await openExperiment(experiment);
    const [expected] = await opened.score([{ method: "passthrough", model: "base" }], { rows: "search" });
    const plugins = [join(folder, "annotators.mjs")];
    const rows = join(folder, "votes.jsonl");
    const found = await scoreModel({ model: join(folder, "base"), rows, plugins, format: "annotators/votes" });
    expect(found).toMatchObject(expected!.tasks["votes"]!);
    expect(found.metrics).toHaveProperty("brier");
  });

  test("on a command line that names the plugins", async () => {
    const folder = await temporaryFolder();
    await writeExample(folder);
    await copyFile(capped, join(folder, "capped.mjs"));
    const asked = ["score", "base", "--task", "votes.jsonl", "--format", "annotators/votes", "--limit", "2"];
    const plugins = ["--plugin", "annotators.mjs", "--plugin", "./capped.mjs", "--engine", "capped/half"];
    const { code, stdout, stderr } = await evomerge(folder, [...asked, ...plugins]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^rows {7}2\nloss {7}\d+\.\d+\nacc [^]*\nbrier {6}\d\.\d{6}\nengine {5}.* half of its memory, f32\n$/,
    );
  });

  test("is refused a format or an engine that no given plugin has", async () => {
    const folder = await temporaryFolder();
    await writeExample(folder);
    const asked = { model: join(folder, "base"), rows: join(folder, "votes.jsonl") };
    const plugins = [join(folder, "annotators.mjs")];
    expect(await refusal(scoreModel({ ...asked, format: "annotators/vote" }))).toBe(
      "format: expected one of the given plugins (--plugin), which have none, found annotators/vote",
    );
    expect(await refusal(scoreModel({ ...asked, plugins, format: "annotators/vote" }))).toBe(
      "format: expected one of the given plugins (--plugin), which have annotators/votes, found annotators/vote",
    );
    expect(await refusal(scoreModel({ ...asked, plugins, format: "annotators/votes", engine: "capped/half" }))).toBe(
      "engine: expected one that is built in, found capped/half",
    );
  });
});
