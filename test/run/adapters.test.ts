import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { examineParents } from "../../src/experiment/fetch-sources.ts";
import { resolveSources } from "../../src/experiment/sources.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { rewriteAsTorch } from "../checkpoint/torch-bytes.ts";
import { nowhere, testHub } from "../hub/test-hub.ts";
import { cutAfter } from "../cut-run.ts";
import { refusal } from "../refusal.ts";
import { writeAdapted, writeTinyAdapter } from "../tiny-adapter.ts";
import { recorded, tinyExperiment, traces, untimed } from "../tiny-experiment.ts";

let folder: string;
let adapter: string;
/** With the adapter in the place of the expert `craft`. */
let experiment: Experiment;
/** With what the adapter makes of the base there. */
let full: Experiment;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  const tiny = await tinyExperiment(folder);
  const base = join(folder, "base");
  adapter = await writeTinyAdapter(join(folder, "adapter"), base);
  cpSync(base, join(folder, "adapted"), { recursive: true });
  await writeAdapted(join(folder, "adapted"), adapter, base);
  const withExpert = (path: string): Experiment => ({
    ...tiny,
    experts: tiny.experts.map((expert) => (expert.name === "craft" ? { ...expert, path } : expert)),
  });
  experiment = withExpert(adapter);
  full = withExpert(join(folder, "adapted"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quietHub = async (): ReturnType<typeof testHub> => testHub(await nowhere(), folder);

describe("a LoRA adapter as an expert", () => {
  test("is searched with and exported as the full model that it makes of the base", async () => {
    const [run, other] = [join(folder, "run"), join(folder, "other")];
    await launchRun(experiment, run);
    await launchRun(full, other);
    for (const type of ["parents", "verdict"] as const)
      expect(recorded(run, type).map(untimed)).toEqual(recorded(other, type).map(untimed));
    const exported = await exportRun(run, { to: join(folder, "exported") });
    expect((await exportRun(other, { to: join(folder, "exported too") })).weightsDigest).toBe(exported.weightsDigest);
    const config = readFileSync(join(folder, "exported", "mergekit_config.yml"), "utf8");
    expect(JSON.stringify(parse(config))).toContain('{"model":{"path":"base"},"lora":{"path":"craft"}}');
    expect((await scoreModel({ model: join(folder, "exported"), rows: join(folder, "rows/quiz.jsonl") })).rows).toBe(
      16,
    );
  });

  test("is searched by gradient with another adapter and a full model, resumed and exported", async () => {
    const base = join(folder, "base");
    const second = await writeTinyAdapter(join(folder, "second"), base, { seed: 2 });
    const search = { ...experiment.search, algorithm: "gradient-walk", population: "auto", rowFraction: 1 } as const;
    const experts = [...experiment.experts, { name: "second", path: second }];
    const own: Experiment = { ...experiment, experts, search, budget: { ...experiment.budget, evaluations: 24 } };
    const run = join(folder, "by gradient");
    const { winner } = await launchRun(own, run);
    expect(recorded(run, "result").length).toBeGreaterThan(2);
    expect(recorded(run, "result").every(({ gradients }) => gradients !== undefined)).toBe(true);
    const [verdict] = recorded(run, "verdict");
    expect(JSON.stringify(verdict)).toContain('"second"');
    const { length } = readJournal(run).records;
    for (const records of [Math.floor(length / 3), Math.floor(length / 2), length - 1]) {
      const cut = cutAfter(run, records, join(folder, `by gradient, after ${records}`));
      expect((await resumeRun(cut)).winner).toEqual(winner);
      expect(traces(cut)).toEqual(traces(run));
    }
    // Reads the written weights back and scores them.
    const to = join(folder, "by gradient, exported");
    await exportRun(run, { to });
    expect((await scoreModel({ model: to, rows: join(folder, "rows/quiz.jsonl") })).rows).toBe(16);
  });

  test("is noticed to have changed, as its base is", async () => {
    const run = join(folder, "changed");
    await launchRun(experiment, run);
    const path = join(adapter, "adapter_config.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace('"lora_alpha":4', '"lora_alpha":5'));
    expect(await refusal(resumeRun(run))).toMatch(/adapter.*: tensor model\.layers\.\d\.self_attn\.[qv]_proj\.weight/);
    writeFileSync(path, text);
  });

  test("cannot be merged by a module of the starter kit, nor can a model in pickles", async () => {
    const pickled = join(folder, "pickled");
    cpSync(join(folder, "adapted"), pickled, { recursive: true });
    await rewriteAsTorch(pickled);
    const experts = full.experts.map((expert) => (expert.name === "craft" ? { ...expert, path: pickled } : expert));
    const cases = [
      [experiment, "is a LoRA adapter", "the full model that peft's merge_and_unload makes of its base"],
      [{ ...full, experts }, "has no weights in safetensors", "a copy that has"],
    ] as const;
    for (const [i, [own, lack, instead]] of cases.entries()) {
      const run = join(folder, `for the kit ${i}`);
      await launchRun(own, run);
      expect(await refusal(exportRun(run, { starterKit: join(folder, "kit") }))).toBe(
        `craft ${lack}, which a module of the starter kit cannot merge; search with ${instead} in its place`,
      );
    }
  });

  test("is scored on the base that it names", async () => {
    const rows = join(folder, "rows/quiz.jsonl");
    const notices: string[] = [];
    const scored = await scoreModel({ model: adapter, rows, onNotice: (text) => void notices.push(text) });
    expect(scored).toEqual(await scoreModel({ model: join(folder, "adapted"), rows }));
    expect(notices).toEqual([
      expect.stringContaining(`applied to '${join(folder, "base")}', which its adapter_config.json`),
    ]);
  });

  test("of another base is refused, and of another name is a notice", async () => {
    const narrow = await writeTinyAdapter(join(folder, "named"), join(folder, "base"), { named: "org/another-model" });
    const told = async (path: string): Promise<readonly object[]> => {
      const own = { ...experiment, experts: [{ name: "odd", path }, ...experiment.experts] };
      const hub = await quietHub();
      return examineParents(await resolveSources(own, hub), hub);
    };
    expect(await told(narrow)).toContainEqual({
      name: narrow,
      about: "architecture",
      verdict: "notice",
      text: `${narrow}: its adapter_config.json says that it was trained on 'org/another-model'; it is applied to the base ${join(folder, "base")}`,
    });
    const [config, weights] = ["adapter_config.json", "adapter_model.safetensors"];
    const wide = join(folder, "wide");
    cpSync(narrow, wide, { recursive: true });
    const bytes = readFileSync(join(narrow, weights), "latin1").replaceAll("layers.1.", "layers.7.");
    writeFileSync(join(wide, weights), bytes, "latin1");
    expect(await told(wide)).toContainEqual({
      name: wide,
      about: "weights",
      verdict: "fault",
      text: expect.stringContaining("'model.layers.7.self_attn.q_proj.weight', which the base does not have"),
    });
    writeFileSync(join(wide, config), '{"peft_type": "IA3"}');
    expect(await told(wide)).toContainEqual({
      name: wide,
      about: "model",
      verdict: "fault",
      text: `${join(wide, config)}: expected the peft_type "LORA", found 'IA3'`,
    });
    const asBase = { ...experiment, base: adapter };
    const hub = await quietHub();
    const findings = await examineParents(await resolveSources(asBase, hub), hub);
    expect(findings[0]?.text).toContain("adapter is a LoRA adapter; expected a full model here");
  });
});
