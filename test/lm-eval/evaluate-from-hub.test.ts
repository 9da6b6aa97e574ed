import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Hub } from "../../src/hub/api/hub.ts";
import { evaluateModels } from "../../src/lm-eval/evaluate-models.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type FakeLmEval, writeFakeLmEval } from "./fake-lm-eval.ts";

let folder: string;
let server: LoopbackHub;
let hub: Hub;
let run: string;
let fake: FakeLmEval;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  server = await LoopbackHub.start();
  hub = await testHub(server, folder);
  run = join(folder, "run");
  await launchRun(await loadExperiment(await publishTinyExperiment(server, folder)), run, { hub });
  fake = await writeFakeLmEval(folder);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The commit of a model, and its folder in the cache of a hub. */
function published(name: string, { cache }: Hub): { readonly source: string; readonly snapshot: string } {
  const commit = server.repository("model", `tiny/${name}`)!.head.id;
  return { source: `tiny/${name}@${commit}`, snapshot: join(cache, `models--tiny--${name}`, "snapshots", commit) };
}

/** The models that lm_eval was asked to evaluate last. */
function lastAsked(count: number): (string | undefined)[] {
  return fake
    .calls()
    .slice(-count)
    .map((args) => args[args.indexOf("--model_args") + 1]);
}

describe("evaluateModels of models on the Hub", () => {
  test("evaluates a run's parents at their recorded commits, from the cache", async () => {
    const offline = { ...hub, offline: true };
    const { benchmark } = await evaluateModels(run, { task: "quiz", python: fake.python, hub: offline });
    const parents = ["base", "nature", "craft"].map((name) => published(name, hub));
    expect(benchmark.models.map(({ name, source }) => [name, source])).toEqual([
      ["base", parents[0]!.source],
      ["nature", parents[1]!.source],
      ["craft", parents[2]!.source],
      ["winner", join(run, "best")],
    ]);
    expect(benchmark.models[0]!.gains!["quiz"]!.gain).toBe(0);
    const folders = [...parents.map(({ snapshot }) => snapshot), join(run, "best")];
    expect(lastAsked(4)).toEqual(folders.map((folder) => `pretrained=${folder}`));
  });

  test("fetches the parents that are asked for, and only where there is an lm_eval", async () => {
    const elsewhere = await testHub(server, await temporaryFolder());
    const options = { task: "school", models: ["craft"], hub: elsewhere };
    const craft = published("craft", elsewhere).snapshot;
    await expect(evaluateModels(run, { ...options, python: "/no/python" })).rejects.toThrow("a Python with lm_eval");
    expect(existsSync(craft)).toBe(false);
    await evaluateModels(run, { ...options, python: fake.python });
    expect(lastAsked(1)).toEqual([`pretrained=${craft}`]);
    expect(existsSync(published("base", elsewhere).snapshot)).toBe(false);
  });

  test("stores what it finds of a model by itself in the folder for results", async () => {
    const before = process.cwd();
    process.chdir(await temporaryFolder());
    try {
      const evaluated = await evaluateModels("tiny/nature", { task: "quiz", python: fake.python, hub });
      expect(evaluated.benchmark.models).toMatchObject([{ name: "nature", kind: "model", source: "tiny/nature" }]);
      expect(evaluated.folder).toBe(join("results", "tiny--nature.lm_eval"));
      expect(existsSync(join(evaluated.folder, "quiz", "nature.json"))).toBe(true);
    } finally {
      process.chdir(before);
    }
  });
});
