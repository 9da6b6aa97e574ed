import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { exportRun } from "../../src/export/export-run.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

let models: string;
/** A finished run, which tests only read. */
let finished: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  finished = join(models, "run");
  await launchRun(await tinyExperiment(models, { file: { budget: { evaluations: 5 } } }), finished);
});
afterAll(() => rm(models, { recursive: true, force: true }));

describe("what an export takes from its base", () => {
  test("refuses to follow a licence that is a link out of the base's folder, before anything is merged", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), run);
    writeFileSync(join(folder, "shadow"), "secret");
    symlinkSync(join(folder, "shadow"), join(folder, "base", "LICENSE"));
    expect(await refusal(exportRun(run))).toBe(
      `${join(folder, "base", "LICENSE")}: a link that leads out of the model's folder, to ${join(folder, "shadow")}; expected the file itself, or a blob of the Hub's cache`,
    );
    expect(readdirSync(run).toSorted()).toEqual(["journal.jsonl", "numbers.bin"]);
  });

  test("is a licence whatever the length of its name, into a folder of a long name too", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), run);
    const name = `LICENSE-${"x".repeat(247)}`;
    writeFileSync(join(folder, "base", name), "terms");
    const { model } = await exportRun(run, { to: join(folder, "m".repeat(255)) });
    expect(readFileSync(join(model, name), "utf8")).toBe("terms");
    await exportRun(run, { to: model });
    expect(readdirSync(folder).filter((beside) => beside.includes("mmm"))).toEqual(["m".repeat(255)]);
  });

  test("leaves out of config.json what the merge is not, and says so", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    const config = {
      quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true },
      torch_dtype: "bfloat16",
    };
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } }, model: { config } }), run);
    const notices: string[] = [];
    const { model } = await exportRun(run, {
      onEvent: (event) => void (event.type === "notice" && notices.push(event.text)),
    });
    expect(notices).toEqual([
      "config.json of the base has quantization_config, but its weights are plain bf16; the export leaves it out",
    ]);
    const { quantization_config: _, ...rest } = JSON.parse(
      readFileSync(join(folder, "base", "config.json"), "utf8"),
    ) as Record<string, unknown>;
    expect(JSON.parse(readFileSync(join(model, "config.json"), "utf8"))).toEqual(rest);
    expect(execFileSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: model, encoding: "utf8" })).toBe("");
  });

  test("says of no local model where it is", async () => {
    const to = join(await temporaryFolder(), "model");
    await exportRun(finished, { to });
    for (const name of ["README.md", "mergekit_config.yml", "recipe.json", "SHA256SUMS"]) {
      expect([name, readFileSync(join(to, name), "utf8").includes(models)]).toEqual([name, false]);
    }
    expect(parse(readFileSync(join(to, "mergekit_config.yml"), "utf8"))).toMatchObject({ base_model: "base" });
    expect(readFileSync(join(to, "mergekit_config.yml"), "utf8")).toMatch(
      /^# Local models go by their names; run it where folders have these names: base, nature, craft$/m,
    );
  });
});
