import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/experiment/experiment.ts";
import type { HubRepository } from "../../src/hub/cache/repository.ts";
import type { Facts, ModelFacts, SourceFacts } from "../../src/rules/facts.ts";
import type { RuleJudgement } from "../../src/rules/rule.ts";
import { rules } from "../../src/rules/rules.ts";
import { openModel } from "../../src/model/open-model.ts";
import { tinyConfig } from "../tiny-model.ts";

const repository: HubRepository = {
  source: "hub",
  type: "model",
  name: "org/model",
  requested: { name: "org/model", revision: "0".repeat(40) },
  commit: "0".repeat(40),
  files: [],
  private: false,
  gated: false,
  disabled: false,
  licence: "apache-2.0",
  tags: [],
  parameters: 7e9,
};

const model: ModelFacts = { name: "org/model", reference: repository.requested, repository };

/** What a rule says first of one model, or of one source, of an experiment. */
function judge(
  id: string,
  facts: Partial<ModelFacts> & {
    readonly source?: Partial<SourceFacts>;
    readonly budget?: Experiment["budget"];
    readonly algorithm?: Experiment["search"]["algorithm"];
  },
): RuleJudgement {
  const { source, budget = { seconds: 3600 }, algorithm = "auto", ...changes } = facts;
  const all = {
    experiment: { budget, search: { algorithm }, space: { method: "linear" } } as Experiment,
    endpoint: "https://hub",
    offline: false,
    models: [{ ...model, ...changes }],
    findings: [],
    sources: source ? [{ task: "quiz", side: "rows", name: "org/rows", names: [], ...source }] : [],
  } satisfies Facts;
  const [found] = rules.find((rule) => rule.id === id)!.check(all);
  return { verdict: found!.verdict, evidence: found!.evidence };
}

const onHub = (changes: Partial<HubRepository>): Partial<ModelFacts> => ({ repository: { ...repository, ...changes } });

const weights = (...dates: (string | undefined)[]): Partial<ModelFacts> => ({
  weights: dates.map((date, i) => ({
    path: `${i}.safetensors`,
    bytes: 1,
    ...(date && { lastCommit: { id: `${i}`.repeat(40), date, title: "Upload\u001B[2J" } }),
  })),
});

const fromDataset = (changes: Partial<HubRepository>): { readonly source: Partial<SourceFacts> } => ({
  source: { repository: { ...repository, type: "dataset", ...changes }, rows: [] },
});

describe("public", () => {
  test("fails what the Hub disabled", () => {
    expect(judge("public", onHub({ disabled: true })).verdict).toBe("fail");
  });
});

describe("date", () => {
  test("allows the last moment before the deadline and goes by the newest file of weights", () => {
    const inTime = "2024-05-30T23:59:59.000Z";
    expect(judge("date", weights("2024-01-01T00:00:00.000Z", inTime))).toEqual({
      verdict: "pass",
      evidence: `1.safetensors, the newest of 2 files: ${inTime} by the date of commit 11111111`,
    });
    expect(judge("date", weights("2024-06-01T00:00:00.000Z", inTime))).toEqual({
      verdict: "fail",
      evidence:
        '0.safetensors, the newest of 2 files: 2024-06-01T00:00:00.000Z by the date of commit 00000000, "Upload\\x1B[2J"; pin an earlier revision',
    });
  });

  test("believes no date from before the repository was created", () => {
    const old = weights("2024-01-01T00:00:00.000Z");
    expect(judge("date", { ...onHub({ createdAt: "2024-05-30T23:59:59.000Z" }), ...old }).verdict).toBe("pass");
    expect(judge("date", { ...onHub({ createdAt: "2024-05-31T00:00:00.000Z" }), ...old })).toEqual({
      verdict: "fail",
      evidence:
        "0.safetensors: 2024-01-01T00:00:00.000Z by the date of commit 00000000, " +
        "but the repository was created 2024-05-31T00:00:00.000Z; use another model",
    });
  });

  test("takes no date for granted", () => {
    expect(judge("date", weights("2024-01-01T00:00:00.000Z", undefined)).verdict).toBe("unknown");
    expect(judge("date", weights()).verdict).toBe("unknown");
    expect(judge("date", weights("soon")).verdict).toBe("fail");
  });
});

describe("size", () => {
  test.each([
    [8e9, "mistral", "pass"],
    [8_000_000_001, "mistral", "fail"],
    [8_030_261_248, "llama", "pass"],
    [8_537_680_896, "gemma", "pass"],
    [8_537_680_896, "llama", "fail"],
    [13e9, "gemma", "fail"],
  ])("of %d parameters in the family %s: %s", (parameters, modelType, verdict) => {
    const config = { model_type: modelType };
    expect(judge("size", { ...onHub({ parameters }), config }).verdict).toBe(verdict);
    expect(judge("size", onHub({ parameters, tags: [modelType] })).verdict).toBe(verdict);
  });

  test("counts an adapter to the family of its base", () => {
    const base = { ...model, ...onHub({ parameters: 8_030_261_248 }), config: { model_type: "llama" } };
    const adapter = { ...model, name: "org/adapter", ...onHub({ parameters: 20e6 }), adapter: {} };
    const { check } = rules.find(({ id }) => id === "size")!;
    const facts = { models: [base, adapter] } as unknown as Facts;
    expect(check(facts).map(({ verdict }) => verdict)).toEqual(["pass", "pass"]);
  });

  test("falls back on the shapes in config.json, then on the bytes in the index", () => {
    const unsaid = onHub({ parameters: undefined });
    const config = tinyConfig({ layers: 1, hidden: 8, vocabulary: 10 });
    const tiny = openModel({ folder: "model", config }, "f32");
    expect(judge("size", { ...unsaid, model: tiny }).evidence).toBe("760 parameters by the shapes in config.json");
    expect(judge("size", { ...unsaid, indexedBytes: 14e9 })).toEqual({
      verdict: "pass",
      evidence: "7,000,000,000 parameters by the bytes in its index, an estimate at 2 bytes each",
    });
    expect(judge("size", unsaid).verdict).toBe("unknown");
  });
});

describe("licence", () => {
  test.each([
    ["mit", "pass"],
    ["cc-by-nc-sa-4.0", "pass"],
    ["cc-by-nc-nd-4.0", "warn"],
    ["cc-by-nd-4.0", "warn"],
    ["other", "warn"],
    [undefined, "warn"],
  ])("%s: %s", (licence, verdict) => {
    expect(judge("licence", onHub({ licence })).verdict).toBe(verdict);
  });
});

describe("data", () => {
  test("passes a public dataset and says which commit and rows it was", () => {
    expect(judge("data", fromDataset({}))).toEqual({
      verdict: "pass",
      evidence: "org/rows at 00000000, 0 rows with digest e3b0c44298fc1c14, licence apache-2.0",
    });
  });

  test("fails one that others cannot read", () => {
    expect(judge("data", fromDataset({ private: true })).verdict).toBe("fail");
    expect(judge("data", fromDataset({ gated: "auto" })).verdict).toBe("warn");
    const problem = { verdict: "fail", text: "no such dataset" } as const;
    expect(judge("data", { source: { problem } })).toEqual({ verdict: "fail", evidence: "no such dataset" });
    expect(judge("mmlu", { source: { problem } }).verdict).toBe("unknown");
  });
});

describe("memory and hour", () => {
  test("estimate from the number of parameters", () => {
    expect(judge("memory", {})).toEqual({ verdict: "pass", evidence: "estimate: lm_eval in bf16 20.0 GB" });
    expect(judge("memory", onHub({ parameters: 18e9 })).verdict).toBe("fail");
    expect(judge("hour", {})).toEqual({
      verdict: "pass",
      evidence: "estimate: 42.0 GB from and to disk at 1 GB/s 0.7 min, MMLU on an A100 3.4 min",
    });
    expect(judge("hour", onHub({ parameters: 120e9 })).verdict).toBe("fail");
    expect(judge("hour", onHub({ parameters: undefined })).verdict).toBe("unknown");
  });

  test("count what merging keeps on the accelerator", () => {
    const config = tinyConfig({ config: { hidden_size: 4096, num_hidden_layers: 32, intermediate_size: 14_336 } });
    const llama = openModel({ folder: "model", config: { ...config, vocab_size: 128_256 } }, "f32");
    const evidence = (algorithm: "auto" | "cma-es"): string => judge("memory", { model: llama, algorithm }).evidence;
    expect(evidence("cma-es")).toBe("estimate: lm_eval in bf16 20.0 GB, evomerge 7.0 GB");
    expect(evidence("auto")).toBe("estimate: lm_eval in bf16 20.0 GB, evomerge 16.2 GB");
  });
});

describe("budget", () => {
  test.each([
    [{ seconds: 24 * 3600 }, "pass"],
    [{ seconds: 24 * 3600 + 1 }, "fail"],
    [{ evaluations: 10 }, "unknown"],
  ] as const)("%o: %s", (budget, verdict) => {
    expect(judge("budget", { budget }).verdict).toBe(verdict);
  });
});
