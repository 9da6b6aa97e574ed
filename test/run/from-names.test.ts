import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportRun } from "../../src/export/export-run.ts";
import type { Hub } from "../../src/hub/api/hub.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import type { Outcome } from "../../src/run/carry-on.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { recorded, traces } from "../tiny-experiment.ts";

let folder: string;
let server: LoopbackHub;
let hub: Hub;
let path: string;
let run: string;
let outcome: Outcome;
const events: RunEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  server = await LoopbackHub.start();
  hub = await testHub(server, folder);
  path = await publishTinyExperiment(server, folder);
  run = join(folder, "run");
  outcome = await launchRun(await loadExperiment(path), run, { hub, onEvent: (event) => void events.push(event) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("a run from names on the Hub", () => {
  test("fetches everything first and carries the search through to a verdict", () => {
    expect(outcome.verdict?.models.map(({ name }) => name)).toContain("craft");
    const types = events.map(({ type }) => type);
    expect(types.indexOf("opened")).toBeGreaterThan(types.lastIndexOf("fetching"));
    const fetching = events.filter((event) => event.type === "fetching");
    const { doneBytes, totalBytes } = fetching.at(-1)!;
    expect(doneBytes).toBe(totalBytes);
    expect(fetching.map(({ doneBytes }) => doneBytes)).toEqual(
      fetching.map(({ doneBytes }) => doneBytes).toSorted((a, b) => a - b),
    );
  });

  test("records the commits of models and datasets", () => {
    const commit = (name: string): string => server.repository("model", name)!.head.id;
    const { base, experts, tasks } = outcome.experiment;
    expect(base).toBe(`tiny/base@${commit("tiny/base")}`);
    expect(experts[0]).toEqual({ name: "nature", path: `tiny/nature@${commit("tiny/nature")}` });
    const converted = server.repository("dataset", "tiny/rows")!.find("refs/convert/parquet")!.id;
    expect(tasks[0]!.rows).toEqual({ dataset: `tiny/rows@${converted}`, config: "quiz", split: "train" });
    expect(traces(run).records[0]).toMatchObject({ experiment: { base, experts, tasks } });
  });

  test("fetches nothing for a folder that holds a run already", async () => {
    const before = server.requests.length;
    await expect(launchRun(await loadExperiment(path), run, { hub })).rejects.toThrow(`${run} already holds a run`);
    expect(server.requests).toHaveLength(before);
  });

  test("resumes and exports from the cache, without a request, whatever becomes of the repositories", async () => {
    const before = server.requests.length;
    const resumed = await resumeRun(run, { hub });
    expect(resumed.winner).toEqual(outcome.winner);
    const { model } = await exportRun(run, { hub: { ...hub, offline: true } });
    expect((await stat(join(model, "model.safetensors"))).size).toBeGreaterThan(0);
    expect(server.requests.length).toBe(before);
  });

  test("fetches a commit again when it is gone from the cache", async () => {
    const other = join(folder, "other");
    const elsewhere = await testHub(server, other);
    server.repository("model", "tiny/base")!.commit({ files: { "model.safetensors": new Uint8Array(8) } });
    const { model } = await exportRun(run, { hub: elsewhere, to: join(other, "model") });
    expect((await stat(join(model, "model.safetensors"))).size).toBeGreaterThan(8);
  });

  test("tells the new name of a model that was renamed", async () => {
    server.rename("model", "tiny/craft", "tiny/handicraft");
    const notices: string[] = [];
    const experiment = await loadExperiment(path);
    const again = await launchRun({ ...experiment, base: experiment.experts[0]!.path }, join(folder, "renamed"), {
      hub,
      onEvent: (event) => void (event.type === "notice" && notices.push(event.text)),
    });
    expect(notices[0]).toBe(`tiny/craft is called tiny/handicraft now: ${server.url}/tiny/handicraft`);
    expect(again.experiment.experts[1]!.path).toMatch(/^tiny\/handicraft@/);
  });

  test("says why a model cannot be scored before any weight is fetched", async () => {
    server.addModel("tiny/bart", {
      files: { "config.json": '{"model_type": "bart"}', "model.safetensors": new Uint8Array(64) },
    });
    const experiment = await loadExperiment(path);
    const before = server.requests.length;
    const emptyCache = await testHub(server, join(folder, "bart"));
    await expect(
      scoreModel({ model: "tiny/bart", rows: join(folder, "rows", "news.jsonl"), hub: emptyCache }),
    ).rejects.toThrow("tiny/bart is a bart model");
    await expect(
      launchRun({ ...experiment, base: "tiny/bart" }, join(folder, "bart"), {
        hub: emptyCache,
      }),
    ).rejects.toThrow(`tiny/bart is a bart model; evomerge scores ${modelTypes.join(", ")} models so far`);
    expect(server.requests.slice(before).filter(({ path }) => /\.safetensors$|^\/lfs/.test(path))).toEqual([]);
  });

  test("needs no Hub where nothing is on it, whatever the environment says of one", async () => {
    vi.stubEnv("HF_ENDPOINT", "nonsense");
    onTestFinished(() => void vi.unstubAllEnvs());
    const local = await loadExperiment(join(folder, "tiny.yaml"));
    expect((await launchRun(local, join(folder, "local"))).experiment).toEqual(local);
    await expect(launchRun(await loadExperiment(path), join(folder, "refused"))).rejects.toThrow(
      "HF_ENDPOINT: expected",
    );
  });

  test("takes a model of a local run from the Hub when its folder is gone, if it is the same", async () => {
    const moved = join(folder, "moved");
    const local = await launchRun(await loadExperiment(join(folder, "tiny.yaml")), moved);
    const [nature, craft] = outcome.experiment.experts.map((expert) => expert.path);
    const other = resumeRun(moved, { hub, moved: { experts: { nature: craft! } } });
    await expect(other).rejects.toThrow(/not the expert nature that the run began with .*it is expert craft/);
    expect(recorded(moved, "moved")).toEqual([]);
    const resumed = await resumeRun(moved, { hub, moved: { experts: { nature: nature! } } });
    expect(resumed).toEqual({
      ...local,
      experiment: { ...local.experiment, experts: [{ name: "nature", path: nature }, local.experiment.experts[1]] },
    });
    expect(recorded(moved, "moved")).toEqual([{ type: "moved", folder: moved, experts: { nature } }]);
  });

  test("names both possibilities when neither a folder nor a model is there", async () => {
    const experiment = { ...(await loadExperiment(path)), base: "tiny/bse" };
    await expect(launchRun(experiment, join(folder, "typo"), { hub })).rejects.toThrow(
      /tiny\/bse.*; nor is there a folder tiny\/bse$/,
    );
  });
});
