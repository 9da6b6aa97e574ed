import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { readShardIndex } from "../../src/checkpoint/shard-index.ts";
import { loadYaml } from "../../src/config/load-yaml.ts";
import { licenceOf } from "../../src/export/licence.ts";
import { readKit } from "../../src/export/starter-kit/kit-checkout.ts";
import { readJsonObject } from "../../src/files/json-object.ts";
import { readExportedFolder } from "../../src/hub/transfer/exported-folder.ts";
import { openHub } from "../../src/hub/api/hub.ts";
import { readListing } from "../../src/hub/cache/listing.ts";
import { openRepository } from "../../src/hub/cache/repository.ts";
import { readLmEvalOutput } from "../../src/lm-eval/read-results.ts";
import { readEvaluations } from "../../src/lm-eval/stored-evaluation.ts";
import { readBenchmarks } from "../../src/report/benchmarks.ts";
import { readQuestions } from "../../src/submission/questions.ts";
import { readSubmission } from "../../src/submission/submission-file.ts";
import { readRows } from "../../src/tasks/rows.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** What may lie where a file is expected, made at a path. */
const oddities: Readonly<Record<string, (path: string) => unknown>> = {
  "a pipe": (path) => execFileSync("mkfifo", [path]),
  "a device": (path) => symlink("/dev/zero", path),
  "a folder": (path) => mkdir(path),
  "a terabyte": async (path) => {
    await writeFile(path, "");
    await truncate(path, 2 ** 40);
  },
};

const commit = "0123456789".repeat(4);
const repository = { type: "model", name: "org/name", commit } as const;
const offline = (folder: string): ReturnType<typeof openHub> =>
  openHub({ HOME: folder, HF_HUB_CACHE: folder, HF_HUB_OFFLINE: "1" });

/** Every reader of somebody else's file: where the file lies in a folder, and what reads it. */
const readers: readonly (readonly [string, (folder: string) => Promise<unknown>])[] = [
  ["a.yaml", (folder) => loadYaml(join(folder, "a.yaml"), z.unknown())],
  ["recipe.json", (folder) => readJsonObject(join(folder, "recipe.json"))],
  ["config.json", (folder) => Checkpoint.open(folder)],
  ["model.safetensors.index.json", (folder) => readShardIndex(join(folder, "model.safetensors.index.json"))],
  ["rows.jsonl", (folder) => readRows(join(folder, "rows.jsonl"))],
  ["rows.json", (folder) => readRows(join(folder, "rows.json"))],
  ["rows.csv", (folder) => readRows(join(folder, "rows.csv"))],
  ["rows.parquet", (folder) => readRows(join(folder, "rows.parquet"))],
  ["questions.csv", (folder) => readQuestions(join(folder, "questions.csv"))],
  ["submission.csv", (folder) => readSubmission(join(folder, "submission.csv"))],
  ["llm_merging/merging/Merges.py", (folder) => readKit(folder, { className: "A", method: "a" })],
  ["SHA256SUMS", (folder) => readExportedFolder(folder)],
  ["results_2024.json", (folder) => readLmEvalOutput(folder)],
  ["lm_eval/benchmarks.json", (folder) => readBenchmarks(folder)],
  [".cache/huggingface/token", (folder) => openHub({ HOME: folder })],
  [
    "models--org--name/refs/main",
    async (folder) => openRepository(await offline(folder), "model", { name: "org/name", revision: "main" }),
  ],
];

describe.each(Object.entries(oddities))("%s in place of", (_, make) => {
  test.each(readers)("%s is refused in one sentence, and neither waited for nor read", async (name, read) => {
    const folder = await temporaryFolder();
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await make(join(folder, name));
    const error: unknown = await read(folder).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UserError" });
    expect((error as Error).message).not.toContain("\n");
  });

  test("the weights is refused", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "config.json"), "{}");
    await make(join(folder, "model.safetensors"));
    await expect(Checkpoint.open(folder)).rejects.toThrow(/model\.safetensors: /);
  });

  test("a card, or of what can be had again, is as good as none", async () => {
    const folder = await temporaryFolder();
    const hub = await offline(folder);
    const listing = join(folder, "models--org--name", "evomerge", `${commit}.json`);
    const evaluation = join(folder, "mmlu", "base.json");
    for (const path of [listing, evaluation, join(folder, "README.md")]) {
      await mkdir(dirname(path), { recursive: true });
      await make(path);
    }
    expect(await readListing(hub, repository, false)).toBeUndefined();
    expect(await readEvaluations(folder)).toEqual([]);
    expect(await licenceOf(folder)).toBeUndefined();
  });
});
