import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { examineParents, planSources } from "../../src/experiment/fetch-sources.ts";
import { resolveSources } from "../../src/experiment/sources.ts";
import type { Hub } from "../../src/hub/api/hub.ts";
import { isPinned, parseReference } from "../../src/hub/api/reference.ts";
import { checkExperiment, type RuleReport } from "../../src/rules/check-experiment.ts";
import { rules } from "../../src/rules/rules.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { isForHeader } from "../hub/loopback/fault.ts";
import { testHub } from "../hub/test-hub.ts";
import { addRecorded } from "../rules/recorded-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { newsRows, quizRows } from "../tiny-experiment.ts";
import { evomerge } from "./evomerge.ts";

const experiments = join(import.meta.dirname, "..", "..", "experiments");
const ADAPTER = "lorahub/flan_t5_xl-kilt_tasks_hotpotqa_complex_question";
const LORAHUB = 37_900_000;
const LLAMA_3 = 2 * 8_030_261_248;
const MISTRAL = 2 * 7_241_732_096;

interface Expected {
  /** Weights of the repositories that can be fetched, in bytes, and how many files each comes to. */
  readonly weights: readonly number[];
  readonly files: readonly number[];
  /** Beginnings of the sentences about models that cannot be scored. */
  readonly unscorable?: readonly string[];
  /** Sentences about models that are used all the same. */
  readonly noticed?: readonly string[];
}

const expected: Readonly<Record<string, Expected>> = {
  "efficiency-winner.yaml": { weights: Array(3).fill(LLAMA_3), files: [7, 9, 7] },
  "flan-t5.yaml": {
    weights: [4 * 2_849_757_184, LORAHUB, LORAHUB],
    files: [7, 3, 3],
  },
  "llama-2-7b-adapters.yaml": {
    weights: [2 * 6_738_415_616, 160_000_000, 39_976_960],
    files: [7, 3, 3],
    noticed: [
      "FinGPT/fingpt-forecaster_dow30_llama2-7b_lora: its adapter_config.json says that it was trained on 'base_models/Llama-2-7b-chat-hf'; it is applied to the base meta-llama/Llama-2-7b-hf",
    ],
  },
  "llama-3-8b.yaml": { weights: Array(4).fill(LLAMA_3), files: [7, 9, 9, 7] },
  "mistral-7b.yaml": { weights: Array(4).fill(MISTRAL), files: [7, 7, 7, 7] },
  "second-place.yaml": { weights: Array(2).fill(LLAMA_3), files: [9, 9] },
};
const files = Object.keys(expected);

const load = (file: string): Promise<Experiment> => loadExperiment(join(experiments, file));

function modelsOf({ base, experts }: Experiment): string[] {
  return [base, ...experts.map(({ path }) => path)];
}

/** Puts everything that an experiment names on the server, its weights by size alone; the owner of `hf_me` may read it. */
async function publish(server: LoopbackHub, experiment: Experiment): Promise<void> {
  const names = modelsOf(experiment).map((model) => parseReference(model)!.name);
  for (const name of names) await addRecorded(server, name);
  server.addToken("hf_me", { name: "me", access: names });
  server.addDataset("AlgorithmicResearchGroup/llm_merging", {
    files: { "cosmos_qa/train.jsonl": lines(quizRows("search", 8)), "xsum/train.jsonl": lines(newsRows("search", 8)) },
    licence: "cc-by-4.0",
  });
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

async function hubOf(server: LoopbackHub): Promise<Hub> {
  const environment = { HF_TOKEN: "hf_me" };
  return testHub(server, await temporaryFolder(), { environment });
}

function broken({ findings }: RuleReport): string[] {
  return findings.filter(({ verdict }) => verdict === "fail").map(({ rule, subject }) => `${rule} of ${subject}`);
}

/** Matches what is said of models that cannot be scored. */
function reasonsOf(file: string): unknown[] {
  return (expected[file]!.unscorable ?? []).map((beginning) => expect.stringContaining(beginning));
}

/** Requests for more of weights than the headers of their files. */
function weightRequests(server: LoopbackHub): readonly object[] {
  const ofWeights = server.requests.filter(({ path }) => /\.(safetensors|bin)$|^\/lfs\//.test(path));
  return ofWeights.filter((request) => !isForHeader(request));
}

describe("the shipped experiments on a Hub", () => {
  test("are all here but the demo, which takes nothing from the Hub", () => {
    const shipped = readdirSync(experiments).filter((file) => file.endsWith(".yaml"));
    expect(shipped.filter((file) => file !== "demo.yaml").toSorted()).toEqual(files);
  });

  test.each(files)("%s is checked by every rule, and breaks none, without a byte of weights", async (file) => {
    await using server = await LoopbackHub.start();
    const experiment = await load(file);
    await publish(server, experiment);
    const report = await checkExperiment(experiment, await hubOf(server));
    expect([...new Set(report.findings.map(({ rule }) => rule))]).toEqual(rules.map(({ id }) => id));
    expect(broken(report)).toEqual([]);
    expect(report.cannotScore).toEqual(reasonsOf(file));
    const toPin = report.findings.filter(({ rule, evidence }) => rule === "date" && evidence.includes("not pinned"));
    const unpinned = modelsOf(experiment).filter((model) => !isPinned(parseReference(model)!));
    expect(toPin.map(({ subject }) => subject)).toEqual(unpinned.map((model) => model.replace(/@.*/, "")));
    expect(weightRequests(server)).toEqual([]);
  });

  test.each(files)("%s is planned with the bytes that the README tells, without a byte of weights", async (file) => {
    await using server = await LoopbackHub.start();
    const experiment = await load(file);
    await publish(server, experiment);
    const hub = await hubOf(server);
    const sources = await resolveSources(experiment, hub);
    const plan = await planSources(sources, hub);
    const { weights, files } = expected[file]!;
    const names = modelsOf(experiment).map((model) => parseReference(model)!.name);
    expect(plan.repositories.map(({ name }) => name)).toEqual([...names, "AlgorithmicResearchGroup/llm_merging"]);
    for (const [i, bytes] of weights.entries()) {
      const { name, files: count, bytes: planned } = plan.repositories[i]!;
      expect(count, name).toBe(files[i]);
      // Of the rest, the tokenizer is largest.
      expect(planned - bytes, name).toBeGreaterThan(0);
      expect(planned - bytes, name).toBeLessThan(100_000);
    }
    expect(plan.repositories.at(-1)).toMatchObject({ files: 2 });
    expect(plan.missingBytes).toBe(plan.bytes);
    const told = new RegExp(`^\\| \`${file}\`.* (\\d+) GB +\\| [^|]*\\|$`, "m");
    const disk = told.exec(readFileSync(join(experiments, "README.md"), "utf8"))?.[1];
    expect(disk, "GB of disk for the models and one export").toBe(((plan.bytes + weights[0]!) / 1e9).toFixed(0));
    const faults = await examineParents(sources, hub);
    expect(faults.map(({ text }) => text)).toEqual([...reasonsOf(file), ...(expected[file]!.noticed ?? [])]);
    expect(weightRequests(server)).toEqual([]);
  });
});

describe("an adapter whose weights torch.save wrote", () => {
  test.each([
    ["check", [], `flan-t5.yaml cannot be run: ${ADAPTER}/adapter_config.json: expected the peft_type`],
    ["fetch", ["--dry-run"], undefined],
  ])("does not stop %s", async (verb, options, reason) => {
    await using server = await LoopbackHub.start();
    const experiment = await load("flan-t5.yaml");
    await publish(server, experiment);
    const id = parseReference(experiment.experts[1]!.path)!.revision;
    const weights = { content: "not served", bytes: 37_748_736, sha256: "0".repeat(64) };
    server.addModel(ADAPTER, { id, files: { "adapter_config.json": "{}", "adapter_model.bin": weights } });
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await evomerge(folder, [verb, join(experiments, "flan-t5.yaml"), ...options], {
      env: { HOME: folder, HF_ENDPOINT: server.url, HF_HUB_CACHE: join(folder, "cache"), HF_TOKEN: "" },
    });
    expect(stdout).toContain(`${ADAPTER}/adapter_config.json: expected the peft_type "LORA", found undefined`);
    expect(code).toBe(reason === undefined ? 0 : 1);
    expect(stderr).toContain(reason ?? "");
    expect(weightRequests(server)).toEqual([]);
  });
});

describe("two LoRA adapters of a base on the Hub", () => {
  test.each([["check"], ["fetch", "--dry-run"]])("pass %s as models that can be scored", async (...command) => {
    await using server = await LoopbackHub.start();
    await publish(server, await load("llama-2-7b-adapters.yaml"));
    const folder = await temporaryFolder();
    const file = join(experiments, "llama-2-7b-adapters.yaml");
    const { code, stdout, stderr } = await evomerge(folder, [...command, file], {
      env: { HOME: folder, HF_ENDPOINT: server.url, HF_HUB_CACHE: join(folder, "cache"), HF_TOKEN: "hf_me" },
    });
    expect(`${stdout}${stderr}`).not.toMatch(/cannot be (run|scored)/);
    for (const adapter of modelsOf(await load("llama-2-7b-adapters.yaml")))
      expect(stdout).toContain(parseReference(adapter)!.name);
    expect(code).toBe(0);
    expect(weightRequests(server)).toEqual([]);
  });
});
