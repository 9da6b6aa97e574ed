import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Hub } from "../../src/hub/api/hub.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { checkExperiment, type RuleReport } from "../../src/rules/check-experiment.ts";
import type { Verdict } from "../../src/rules/rule.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { isForHeader } from "../hub/loopback/fault.ts";
import { testHub } from "../hub/test-hub.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, writeTinyExperiment } from "../tiny-experiment.ts";
import { addRecorded, type Changes } from "./recorded-model.ts";

const LLAMA_3 = "meta-llama/Meta-Llama-3-8B";
const MAZIYAR = "MaziyarPanahi/Llama-3-8B-Instruct-v0.8";
const REFUELED = "refuelai/Llama-3-Refueled";
const MISTRAL = "mistralai/Mistral-7B-v0.1";
const ZEPHYR = "HuggingFaceH4/zephyr-7b-beta";

/** An experiment on models of the server, with rows of a dataset there. */
function experimentOn(base: string, ...experts: string[]): Experiment {
  return {
    name: "first-try",
    base,
    experts: experts.map((path, i) => ({ name: `expert-${i}`, path })),
    space: {
      method: "linear",
      groups: [["attention", "mlp", "norm", "embedding"]],
      depth: { curve: "constant" },
      parameters: { weight: { range: [0, 1], start: "uniform" } },
    },
    tasks: [{ name: "quiz", rows: { dataset: "org/rows@main", config: "quiz" }, weight: 1, loss: "softmax" }],
    search: { algorithm: "cma-es", population: "auto", rowFraction: "auto", seedFromBaselines: true },
    budget: { seconds: 7200 },
    engine: "auto",
    precision: "auto",
    seed: 1,
  };
}

/** No test here waits for an answer in vain, so a busy machine may take its time. */
function patientHub(server: LoopbackHub, folder: string, environment: NodeJS.ProcessEnv = {}): Promise<Hub> {
  return testHub(server, folder, { environment });
}

function addRows(hub: LoopbackHub, rows: readonly object[] = quizRows("search", 4)): void {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  hub.addDataset("org/rows", { files: { "quiz/train.jsonl": text }, licence: "cc-by-4.0" });
}

/** Checks an experiment on recorded models, the first of which is the base. */
async function check(
  hub: LoopbackHub,
  models: readonly (readonly [string, Changes?])[],
  change: (experiment: Experiment) => Experiment = (experiment) => experiment,
): Promise<RuleReport> {
  const names: string[] = [];
  for (const [id, changes] of models) names.push(await addRecorded(hub, id, changes));
  const [base = "", ...experts] = names;
  return checkExperiment(change(experimentOn(base, ...experts)), await patientHub(hub, await temporaryFolder()));
}

/** `verdict evidence` of the findings of a rule, in their order. */
function found({ findings }: RuleReport, rule: string): string[] {
  return findings.filter((f) => f.rule === rule).map(({ verdict, evidence }) => `${verdict} ${evidence}`);
}

function verdicts({ findings }: RuleReport): Record<string, Verdict[]> {
  const byRule: Record<string, Verdict[]> = {};
  for (const { rule, verdict } of findings) (byRule[rule] ??= []).push(verdict);
  return byRule;
}

describe("checkExperiment", () => {
  test("passes an experiment of open Mistral models with every rule, and downloads no weight", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [[MISTRAL], [ZEPHYR]], (experiment) => ({
      ...experiment,
      tasks: [{ ...experiment.tasks[0]!, guard: { dataset: "org/rows@main", config: "quiz", split: "train" } }],
    }));
    expect(verdicts(report)).toEqual({
      public: ["pass", "pass"],
      date: ["pass", "pass"],
      size: ["pass", "pass"],
      licence: ["pass", "pass"],
      architecture: ["pass"],
      tokenizer: ["pass"],
      data: ["pass", "pass"],
      mmlu: ["pass", "pass"],
      memory: ["pass"],
      hour: ["pass"],
      budget: ["pass"],
    });
    expect(report.cannotScore).toEqual([]);
    expect(found(report, "date")[1]).toBe(
      "pass model-00001-of-00002.safetensors, the newest of 2 files: 2024-01-01T00:00:00.000Z by the date of commit 00000000",
    );
    const ofWeights = hub.requests.filter(({ path }) => /\.safetensors$|^\/lfs\//.test(path));
    expect(ofWeights.filter((request) => !isForHeader(request))).toEqual([]);
  });

  test("takes a model of the organisers' list by its nominal size, and accepts a gate and a card edited late", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    hub.addToken("hf_me", { name: "me", access: [LLAMA_3] });
    const names = [await addRecorded(hub, LLAMA_3), await addRecorded(hub, MAZIYAR), await addRecorded(hub, REFUELED)];
    const [base = "", ...experts] = names;
    const asked = await patientHub(hub, await temporaryFolder(), { HF_TOKEN: "hf_me" });
    const report = await checkExperiment(experimentOn(base, ...experts), asked);
    expect(found(report, "size")).toEqual(
      Array(3).fill(
        "pass 8,030,261,248 parameters by the headers of its safetensors files: nominally Llama 3 8B, which the organisers list",
      ),
    );
    expect(found(report, "public")[0]).toBe(
      `warn gated: accept the licence at ${hub.url}/${LLAMA_3} (its owner approves each request)`,
    );
    expect(verdicts(report)["date"]).toEqual(["pass", "pass", "pass"]);
    expect(found(report, "licence")[2]).toBe("pass cc-by-nc-4.0: research only, and so is the merge");
    expect(verdicts(report)["architecture"]).toEqual(["pass", "pass"]);
  });

  test("judges a gated model without access by what everyone may see of it", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [["google/gemma-7b"]]);
    expect(found(report, "size")).toEqual([
      "pass 8,537,680,896 parameters by the headers of its safetensors files: nominally Gemma 7B, which the organisers list",
    ]);
    expect(verdicts(report)).toMatchObject({ public: ["warn"], date: ["pass"], licence: ["pass"] });
  });

  test("fails a model whose weights changed after the deadline, with the commit", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [[MISTRAL], [ZEPHYR, { weightsDate: "2024-05-31T00:00:00.000Z" }]]);
    expect(found(report, "date")[1]).toBe(
      'fail model-00001-of-00002.safetensors, the newest of 2 files: 2024-05-31T00:00:00.000Z by the date of commit 00000000, "placeholder"; pin an earlier revision',
    );
  });

  test("names the commit to pin where a revision may move", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [[MISTRAL]], (experiment) => ({ ...experiment, base: `${MISTRAL}@main` }));
    expect(found(report, "date")[0]).toMatch(
      /^warn .*; not pinned: write mistralai\/Mistral-7B-v0.1@26bca36bde8333b5d7f72e9ed20ccda6a618af24$/,
    );
  });

  test("says what is missing or private and checks everything else", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [[MISTRAL], [ZEPHYR, { private: true }]], (experiment) => ({
      ...experiment,
      experts: [...experiment.experts, { name: "gone", path: "org/gone@main" }],
    }));
    expect(verdicts(report)).toMatchObject({
      public: ["pass", "fail", "fail"],
      date: ["pass", "unknown", "unknown"],
      size: ["pass", "unknown", "unknown"],
      tokenizer: ["unknown", "unknown"],
      data: ["pass"],
      memory: ["pass"],
    });
    expect(found(report, "public")[2]).toContain("org/gone: no such model, or it is private");
  });

  test("fails a private model that its owner checks", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    hub.addToken("hf_me", { name: "HuggingFaceH4" });
    const base = await addRecorded(hub, ZEPHYR, { private: true });
    const asked = await patientHub(hub, await temporaryFolder(), { HF_TOKEN: "hf_me" });
    const report = await checkExperiment(experimentOn(base), asked);
    expect(found(report, "public")).toEqual([`fail private: make it public at ${hub.url}/${ZEPHYR}/settings`]);
  });

  test("knows nothing of a model while the Hub does not answer", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    hub.fail({ match: ({ path }) => path.includes("zephyr"), times: 100, do: { status: 503 } });
    const report = await check(hub, [[MISTRAL], [ZEPHYR]]);
    expect(verdicts(report)["public"]).toEqual(["pass", "unknown"]);
    expect(found(report, "date")[1]).toMatch(
      /^unknown HuggingFaceH4\/zephyr-7b-beta: no copy is in .*; http.* answered 503 after 6 tries; try again later$/,
    );
  });

  test("tells families apart, and which models evomerge cannot score", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [
      [MISTRAL],
      ["google/flan-t5-large", { config: { model_type: "bart" } }],
      [REFUELED],
      [ZEPHYR, { config: { vocab_size: 32002 } }],
    ]);
    expect(found(report, "architecture")).toEqual([
      "fail model_type: bart, in the base mistral",
      "fail model_type: llama, in the base mistral",
      "fail vocab_size: 32002, in the base 32000",
    ]);
    const known = modelTypes.join(", ");
    expect(report.cannotScore).toEqual([
      `google/flan-t5-large is a bart model; evomerge scores ${known} models so far`,
    ]);
  });

  test("counts an adapter together with its base", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [
      ["meta-llama/Llama-2-7b-hf", { gated: false }],
      ["FinGPT/fingpt-forecaster_dow30_llama2-7b_lora"],
    ]);
    expect(found(report, "size")[1]).toBe(
      "pass 6,758,404,096 parameters by the headers of its safetensors files, adapter and base together",
    );
    expect(found(report, "architecture")).toEqual([
      "warn an adapter of base_models/Llama-2-7b-chat-hf, the base is meta-llama/Llama-2-7b-hf",
    ]);
    expect(found(report, "licence")[1]).toBe("pass apache-2.0");
    expect(report.cannotScore).toEqual([]);
  });

  test("does not take rows that it could not get for rows that are not there", async () => {
    await using hub = await LoopbackHub.start();
    hub.addDataset("org/rows", { files: { "quiz/train/a.jsonl": "{}", "quiz/train/b.jsonl": "[]" } });
    hub.fail({ match: ({ path }) => path.endsWith("a.jsonl"), times: Infinity, do: { hangUp: true } });
    const report = await check(hub, [[MISTRAL]], (experiment) => ({ ...experiment, experts: [] }));
    expect(found(report, "data")).toEqual([expect.stringMatching(/^unknown .*check the network/)]);
  });

  test("dates weights that evomerge does not read, and says so of them", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const date = "2024-07-01T00:00:00.000Z";
    hub.addModel("org/pickled", { files: { "config.json": "{}", "weights.pth": "x" }, date });
    const report = await check(hub, [[MISTRAL]], (experiment) => ({
      ...experiment,
      experts: [{ name: "pickled", path: "org/pickled@main" }],
    }));
    expect(found(report, "licence")[1]).toBe("warn the card states none; ask the model's author");
    expect(found(report, "date")[1]).toMatch(/^fail weights.pth: 2024-07-01T00:00:00.000Z by the date of commit/);
    expect(report.cannotScore).toEqual([expect.stringMatching(/^org\/pickled@\w{40} has .*, found weights.pth; /)]);
  });

  test("asks the Hub again for what may have changed since a model was fetched", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const asked = await patientHub(hub, await temporaryFolder());
    const experiment = experimentOn(await addRecorded(hub, MISTRAL));
    expect(found(await checkExperiment(experiment, asked), "public")[0]).toMatch(/^pass/);
    await addRecorded(hub, MISTRAL, { gated: "auto" });
    expect(found(await checkExperiment(experiment, asked), "public")[0]).toMatch(/^warn gated/);
  });

  test("takes the licence of a dataset from its card, whatever branch the rows are from", async () => {
    await using hub = await LoopbackHub.start();
    const rows = quizRows("search", 4).map((row) => `${JSON.stringify(row)}\n`);
    hub.addDataset("org/rows", { files: { "quiz/train.jsonl": rows.join("") }, licence: "mit" }).commit({
      branch: "refs/convert/parquet",
      files: { "quiz/train.jsonl": rows.slice(0, 3).join("") },
      id: "c".repeat(40),
    });
    expect(found(await check(hub, [[MISTRAL]]), "data")[0]).toMatch(
      /^pass org\/rows@main quiz at cccccccc, 3 rows with digest \w{16}, licence mit$/,
    );
  });

  test("finds another tokenizer", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const report = await check(hub, [[MISTRAL], [ZEPHYR, { tokenizer: "metaspace-bos" }]]);
    expect(found(report, "tokenizer")[0]).toMatch(
      /^fail \S+: its tokenizer is not that of the base \S+: token 3: '!' in the base, '<0x00>' here and \d+ more; merge 0: /,
    );
  });

  test("finds MMLU by its name and by its wording", async () => {
    await using hub = await LoopbackHub.start();
    const input = "The following are multiple choice questions (with answers) about anatomy.\n\nWhere?\nAnswer:";
    addRows(hub, [{ input, target: "A", answer_choices: ["A", "B"], label: 0 }]);
    const byWording = await check(hub, [[MISTRAL]]);
    expect(found(byWording, "mmlu")[0]).toMatch(/^fail org\/rows@main quiz: row ".*" is MMLU by its wording/);
    const byName = await check(hub, [[MISTRAL]], (experiment) => ({
      ...experiment,
      tasks: [{ ...experiment.tasks[0]!, name: "tinyMMLU" }],
    }));
    expect(found(byName, "mmlu")).toEqual(["fail tinyMMLU is MMLU by its name; use other rows"]);
  });

  test("says of an experiment on this machine what speaks against it", async () => {
    await using hub = await LoopbackHub.start();
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeTinyExperiment(folder));
    const report = await checkExperiment(experiment, await patientHub(hub, folder));
    expect(hub.requests).toEqual([]);
    expect(found(report, "public")[0]).toBe("warn a folder, not on the Hub yet; push it there before you submit");
    expect(verdicts(report)).toMatchObject({
      size: ["pass", "pass", "pass"],
      date: ["unknown", "unknown", "unknown"],
      tokenizer: ["pass", "pass"],
      budget: ["unknown"],
    });
    expect(found(report, "data")[0]).toMatch(
      /quiz.jsonl, 16 rows with digest \w{16}, sha256 \w{64}: a local file, declare its source$/,
    );
  });

  test("offline, says from the cache what can be said", async () => {
    await using hub = await LoopbackHub.start();
    addRows(hub);
    const base = await addRecorded(hub, MISTRAL);
    const folder = await temporaryFolder();
    const experiment = experimentOn(base, await addRecorded(hub, ZEPHYR));
    await checkExperiment({ ...experiment, experts: [] }, await patientHub(hub, folder));
    const before = hub.requests.length;
    const offline = await patientHub(hub, folder, { HF_HUB_OFFLINE: "1" });
    const report = await checkExperiment(experiment, offline);
    expect(hub.requests.length).toBe(before);
    expect(found(report, "public")).toEqual(Array(2).fill("unknown offline: only the Hub knows"));
    expect(report.unasked).toHaveLength(3);
    expect(verdicts(report)).toMatchObject({ date: ["pass", "unknown"], size: ["pass", "unknown"] });
  });
});
