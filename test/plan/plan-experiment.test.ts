import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runPlanText } from "../../src/cli/run-plan-text.ts";
import type { Stopwatch } from "../../src/device/rehearsal/rehearsal-device.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { openEngine } from "../../src/experiment/open-engine.ts";
import { planExperiment, type RunPlanOptions } from "../../src/plan/plan-experiment.ts";
import type { RunPlan } from "../../src/plan/run-plan.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, writeTinyExperiment } from "../tiny-experiment.ts";

/** Of what each device of the machine is to have, and how many it has, unless they are its own. */
let changes: PropertyDescriptorMap = {};
afterEach(() => {
  changes = {};
});

vi.mock("../../src/experiment/open-engine.ts", async (original) => {
  const real = await original<typeof import("../../src/experiment/open-engine.ts")>();
  const open: typeof real.openEngine = async (...args) => {
    const opened = await real.openEngine(...args);
    Object.defineProperties(opened.device, changes);
    return opened;
  };
  return { ...real, openEngine: open };
});

/** By which every graph takes a tenth of a second, whatever else the machine does, and what the host does between them nothing. */
function steady(): Stopwatch {
  let now = 0;
  return { lanes: () => (now += 100), host: () => 0 };
}

async function planned(file: object = {}, options: RunPlanOptions = {}): Promise<RunPlan> {
  const experiment = await tinyExperiment(await temporaryFolder(), { file: { ...file } });
  return planExperiment(experiment, { watch: steady(), ...options });
}

function perToken({ flop, tokens, candidates }: RunPlan["generation"]): number {
  return flop / tokens / candidates;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
}

const byGradient = { search: { algorithm: "gradient-walk", rowFraction: 0.5 } };

describe("planExperiment", () => {
  test.each([
    ["scores", {}, 1.05],
    // Work space is reckoned as if each lane met the largest share of the batches.
    ["gradients", byGradient, 1.25],
  ])("tells the memory, candidates and tokens of what a run then %s", async (_, file, most) => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder, { file: { ...file } });
    const { memory, generation, expected, evaluations } = await planExperiment(experiment, { watch: steady() });
    const engine = await openEngine(experiment);
    const run = join(folder, "run");
    await launchRun(experiment, run, { engine });
    const results = recorded(run, "result");
    const { models, tokens } = results[0]!.time;
    expect(generation.candidates).toBe(models);
    // Each generation meets rows of its own.
    expect(Math.abs(generation.tokens / tokens - 1)).toBeLessThan(0.1);
    expect(expected.generations).toBe(results.length);
    expect(evaluations).toBe(results.length * models * (generation.usesGradients ? 4 : 1));
    expect(memory.devicePeakBytes / engine.device.memory.peakBytes).toBeGreaterThan(0.95);
    expect(memory.devicePeakBytes / engine.device.memory.peakBytes).toBeLessThan(most);
  });

  test.each([
    ["candidates are divided", {}, 0.6],
    // A graph takes as long for half of the rows, on this watch.
    ["rows are divided for gradients", byGradient, 1],
  ])("knows what two devices take where %s, each with memory of its own", async (_, file, share) => {
    const budget = { budget: { time: "10m" } };
    changes = { concurrency: { value: 1 } };
    const one = await planned({ ...file, ...budget });
    changes = { ...changes, alike: { value: 2 } };
    const two = await planned({ ...file, ...budget });
    expect([one, two].map(({ devices }) => devices)).toEqual([1, 2]);
    expect(two.generation.rows).toBe(one.generation.rows);
    expect(two.generation.ms / one.generation.ms).toBeCloseTo(share, 1);
    expect(two.evaluations / one.evaluations).toBeGreaterThan(share < 1 ? 1.2 : 0.9);
    expect(two.generation.flop / one.generation.flop).toBeCloseTo(1, 1);
    expect(two.memory.devicePeakBytes).toBeLessThanOrEqual(one.memory.devicePeakBytes);
    expect(runPlanText(two, 80)).toMatch(/^engine {6}2 times ggml on /m);
    const refused = refusal(planned(file, { devices: 3 }));
    expect(await refused).toMatch(/^devices: expected at most 2, as ggml on .* has here, found 3/);
  });

  test("counts the time of a generation's graphs by part, and its products", async () => {
    const [forward, both] = [(await planned()).generation, (await planned(byGradient)).generation];
    expect(forward).toMatchObject({ usesGradients: false, readingMs: 0, backwardMs: 0 });
    expect(forward.forwardMs + forward.mergingMs).toBe(forward.ms);
    // One graph for each of its candidates and stages, of a tenth of a second each.
    expect(forward.busyMs % 100).toBe(0);
    expect(forward.busyMs).toBeGreaterThanOrEqual(forward.ms);
    expect(both.usesGradients).toBe(true);
    expect(both.backwardMs).toBeGreaterThan(0);
    expect(both.forwardMs + both.mergingMs + both.backwardMs).toBe(both.ms);
    // A product forward is two of them back, but for what no coefficient depends on.
    expect(perToken(both) / perToken(forward)).toBeGreaterThan(2);
    expect(perToken(both) / perToken(forward)).toBeLessThan(4.5);
  });

  test("reads no weight: the numbers in the files may be any", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder);
    const before = await planExperiment(experiment, { watch: steady() });
    const file = join(experiment.base, "model.safetensors");
    const bytes = await readFile(file);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    // Not a number, each of them, for which a run is refused.
    await writeFile(file, Buffer.concat([bytes.subarray(0, start), Buffer.alloc(bytes.length - start, 0xff)]));
    const after = await planExperiment(experiment, { watch: steady() });
    expect(after.memory.devicePeakBytes).toBe(before.memory.devicePeakBytes);
    expect(after.generation).toEqual(before.generation);
    await expect(launchRun(experiment, join(folder, "run"))).rejects.toThrow(/finite/);
  });

  test("refuses what a run refuses, in the same sentence", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeTinyExperiment(folder));
    await rm(join(experiment.experts[0]!.path, "config.json"));
    const ofRun = await refusal(launchRun(experiment, join(folder, "run")));
    expect(ofRun).toMatch(/config\.json/);
    expect(await refusal(planExperiment(experiment))).toBe(ofRun);
  });

  test("asks the Hub for headers and no weight, and comes to the same", async () => {
    const folder = await temporaryFolder();
    await using server = await LoopbackHub.start();
    const hub = await testHub(server, folder);
    const experiment = await loadExperiment(await publishTinyExperiment(server, folder));
    const unread = await planExperiment(experiment, { hub, watch: steady() });
    const weights = server.requests.filter(({ path }) => path.endsWith(".safetensors"));
    expect(weights.length).toBeGreaterThan(0);
    for (const { range } of weights) expect(range).toMatch(/^bytes=\d+-\d+$/);
    expect(unread.disk.fetchBytes).toBeGreaterThan(0);
    await launchRun(experiment, join(folder, "run"), { hub });
    const here = await planExperiment(experiment, { hub, watch: steady() });
    expect(here.disk.fetchBytes).toBe(0);
    expect(unread.generation).toEqual(here.generation);
    expect(unread.memory.devicePeakBytes).toBe(here.memory.devicePeakBytes);
  });

  test("names the limit that binds and what would relax it", async () => {
    expect((await planned()).limits).toEqual([
      {
        limit: "evaluations",
        why: "The budget of 10 evaluations ends the search after 2 generations.",
        relief: expect.stringMatching(/^More of them, or a time: --budget \d+[sm] has room for everything\.$/),
      },
    ]);
    const timed = await planned({ budget: { time: "60s" } });
    expect(timed.limits[0]).toMatchObject({
      limit: "time",
      why: expect.stringMatching(
        /^The budget of 1 min 00 s ends the search after about \d+ generations, \d+ evaluations\.$/,
      ),
    });
  });
});

describe("runPlanText", () => {
  test("fits into 80 columns and tells every part", async () => {
    const lines = runPlanText(await planned(), 80).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    const subjects = lines.flatMap((line) => /^\S+(?: \S+)?/.exec(line.slice(0, 12))?.[0]?.trim() ?? []);
    expect(subjects).toEqual([
      "experiment",
      "engine",
      "speed",
      "time",
      "generation",
      "spent on",
      "memory",
      "disk",
      "limit",
    ]);
  });
});
