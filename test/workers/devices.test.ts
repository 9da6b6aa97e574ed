import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { OutOfMemory } from "../../src/errors.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import type { RunOptions } from "../../src/run/run-options.ts";
import { failedAnswer, type WorkerAnswer } from "../../src/workers/answers.ts";
import { DeviceBoard } from "../../src/workers/device-board.ts";
import { DeviceChild } from "../../src/workers/device-child.ts";
import { compiled } from "../compiled.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces, writeTinyExperiment } from "../tiny-experiment.ts";
import { severalDevices } from "./several-devices.ts";

/** A process that scores, as it is seen by this one. */
interface Seen {
  readonly child: ChildProcess;
  /** When it has opened its device, or has not. */
  readonly settled: Promise<unknown>;
  /** Jobs that it was sent. */
  jobs: number;
}

type Three = [string, string, string];

const scoring: Seen[] = [];
/** What becomes of a job that a process is sent: an answer in the place of its own, or nothing. */
let onJob: (seen: Seen) => WorkerAnswer | undefined = () => undefined;

vi.mock("node:child_process", async (original) => {
  const real = await original<typeof import("node:child_process")>();
  const fork = (...args: Parameters<typeof real.fork>): ChildProcess => {
    const child = real.fork(...args);
    if (String(args[0]).includes("device-process")) watch(child);
    return child;
  };
  return { ...real, fork };
});

function watch(child: ChildProcess): void {
  const settled = new Promise((resolve) => {
    child.on("message", (message) => message !== "ready" && resolve(message));
    child.on("exit", resolve);
  });
  const seen = { child, settled, jobs: 0 };
  scoring.push(seen);
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (message: object, ...others: unknown[]) => {
    if (!("job" in Object(message))) return send(message, ...others);
    seen.jobs += 1;
    const answer = onJob(seen);
    if (answer) return setImmediate(() => child.emit("message", answer)).hasRef();
    return send(message, ...others);
  };
}

let models = "";
let file = "";
let experiment: Experiment;
/** What a run on one device leaves. */
let expected: ReturnType<typeof traces>;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  file = await writeTinyExperiment(models);
  experiment = await loadExperiment(file);
  await launchRun(experiment, join(models, "one"));
  expected = traces(join(models, "one"));
});
beforeEach(() => {
  scoring.length = 0;
  onJob = () => undefined;
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(models, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** This process leaves the others their time to take jobs. */
async function waitForOthers(): Promise<void> {
  await Promise.all(scoring.map(({ settled }) => settled));
  await sleep(5);
}

/** A run on so many devices: what it leaves, its notices, and why it took its engine. */
async function runOn(
  devices: number,
  options: RunOptions & { readonly begin?: () => void } = {},
): Promise<{ readonly left: ReturnType<typeof traces>; readonly notices: readonly string[]; readonly why: string }> {
  const folder = join(await temporaryFolder(), "run");
  const notices: string[] = [];
  let why = "";
  const engine = await severalDevices(experiment, devices, waitForOthers);
  options.begin?.();
  await launchRun(experiment, folder, {
    ...options,
    engine,
    onEvent: (event) => {
      if (event.type === "notice") notices.push(event.text);
      if (event.type === "opened") ({ why } = event);
    },
  });
  return { left: traces(folder), notices, why };
}

describe("several devices of a machine", () => {
  test("leave the journal of one, and no process behind", async () => {
    const { left, notices, why } = await runOn(3);
    expect(left).toEqual(expected);
    expect(notices).toEqual([]);
    expect(why).toMatch(/; all 3 of its name score$/);
    expect(scoring.map(({ jobs }) => jobs > 0)).toEqual([true, true]);
    expect(scoring.map(({ child }) => child.signalCode)).toEqual(["SIGKILL", "SIGKILL"]);
  });

  test("are as many as are asked for, and no more than there are", async () => {
    const { left, why } = await runOn(3, { devices: 1 });
    expect(left).toEqual(expected);
    expect(why).toMatch(/; 1 of 3 of its name scores$/);
    expect(scoring).toEqual([]);
    await expect(runOn(3, { devices: 4 })).rejects.toThrow(
      /^devices: expected at most 3, as ggml on .* has here, found 4/,
    );
  });

  test("that are killed at their jobs change nothing", async () => {
    onJob = ({ child, jobs }) => {
      if (jobs === 1) {
        child.stderr?.emit("data", "here\nCUDA error: \u001b[2Jnone left\n\n");
        child.kill("SIGKILL");
      }
      return undefined;
    };
    const { left, notices } = await runOn(3);
    expect(left).toEqual(expected);
    const lost = String.raw`its process has ended (SIGKILL), and said last: CUDA error: \u001B[2Jnone left; the run goes on without it`;
    expect(notices.toSorted()).toEqual([`device 1: ${lost}`, `device 2: ${lost}`]);
  });

  test("that cannot be opened are told, and the run goes on without them", async () => {
    const { left, notices } = await runOn(2, { begin: () => vi.stubEnv("EVOMERGE_PRODUCTS", "/nowhere.so") });
    expect(left).toEqual(expected);
    expect(notices).toEqual([expect.stringMatching(/^device 1: .*\/nowhere\.so.*; the run goes on without it$/)]);
  });

  test.each<[string, WorkerAnswer, string]>([
    ["has no memory", failedAnswer("d", new OutOfMemory("gpu: out of memory")), "gpu: out of memory; free the device"],
    ["has other weights", { worker: "d", kind: "refused", why: "base: tensor x" }, "base: tensor x"],
    ["answers with nothing", { worker: "d", kind: "numbers", logLikelihoods: [] }, "an answer: expected numbers of"],
    ["answers something else", { kind: "x" } as unknown as WorkerAnswer, "an answer: "],
  ])("one that %s is left out, in a sentence", async (_, answer, why) => {
    onJob = () => answer;
    const { left, notices } = await runOn(2);
    expect(left).toEqual(expected);
    expect(notices).toEqual([expect.stringMatching(`^device 1: ${why}.*; the run goes on without it$`)]);
    expect(scoring.map(({ child, jobs }) => [child.signalCode, jobs])).toEqual([["SIGKILL", 1]]);
  });

  test("are left by a run that is interrupted, and it goes on with another number of them", async () => {
    const folder = join(await temporaryFolder(), "run");
    await interrupt(experiment, folder, ({ type }) => type === "generation", {
      engine: await severalDevices(experiment, 2),
    });
    expect(scoring.map(({ child }) => child.signalCode)).toEqual(["SIGKILL"]);
    await resumeRun(folder, { engine: await severalDevices(experiment, 3) });
    expect(traces(folder)).toEqual(expected);
  });

  test("one that hangs is not waited for by a run that is interrupted", async () => {
    const { base, experts, precision } = experiment;
    const models = { base, experts, precision, engine: "ggml" } as const;
    const opening = { name: "device 1", models, place: { kind: "cpu", index: 1 } } as const;
    await using child = new DeviceChild(opening, { leaveMs: 50 });
    await child.opened;
    scoring[0]?.child.kill("SIGSTOP");
    const left = child.answer({ kind: "join" }, AbortSignal.timeout(20));
    await expect(left).rejects.toThrow("its process does not leave its job");
  });

  test("one that hangs at its job is ended, and the job done by another", async () => {
    const { base, experts, precision } = experiment;
    const models = { base, experts, precision, engine: "ggml" } as const;
    const child = new DeviceChild({ name: "device 1", models, place: { kind: "cpu", index: 1 } }, { silentMs: 600 });
    const ofRun: WorkerAnswer = { worker: "the run", kind: "left" };
    const notices: string[] = [];
    const own = { answer: async () => ofRun };
    await using board = new DeviceBoard({ own, children: [child], onNotice: (text) => void notices.push(text) });
    await child.opened;
    scoring[0]?.child.kill("SIGSTOP");
    const answers: WorkerAnswer[] = [];
    await board.deal([{ kind: "join" }, { kind: "join" }], { accept: (index, answer) => (answers[index] = answer) });
    expect(answers).toEqual([ofRun, ofRun]);
    expect(scoring[0]?.jobs).toBe(1);
    expect(notices).toEqual([
      "device 1: its process hangs: nothing was heard of it for 0.6 s; the run goes on without it",
    ]);
    await vi.waitFor(() => expect(scoring[0]?.child.signalCode).toBe("SIGKILL"));
  });

  test("one that takes its time at a job is waited for, and says meanwhile that it lives", async () => {
    const { base, experts, precision } = experiment;
    const models = { base, experts, precision, engine: "ggml" } as const;
    const opening = { name: "device 1", models, place: { kind: "cpu", index: 1 } } as const;
    await using device = new DeviceChild(opening, { silentMs: 12_000 });
    await device.opened;
    const { child } = scoring[0]!;
    // The job never comes to it.
    child.send = () => true;
    const asked = device.answer({ kind: "join" }, new AbortController().signal);
    const [said] = (await once(child, "message")) as unknown[];
    expect(said).toBe("alive");
    const answer: WorkerAnswer = { worker: "device 1", kind: "left" };
    child.emit("message", answer);
    expect(await asked).toEqual(answer);
  });

  test("share gradients in as many parts, of which the journal is that of one that deals as many", async () => {
    const search = { algorithm: "lineages", population: 2, rowFraction: 0.25 };
    const gradients: Experiment = await tinyExperiment(await temporaryFolder(), {
      file: { search, budget: { evaluations: 16 } },
      model: { dtype: "f32" },
    });
    const [one, two, gone] = ["one", "two", "gone"].map((name) => join(gradients.base, "..", name)) as Three;
    await launchRun(gradients, one, { parts: 2 });
    await launchRun(gradients, two, { engine: await severalDevices(gradients, 2, waitForOthers) });
    expect(traces(two)).toEqual(traces(one));
    expect(recorded(two, "gradient").length).toBeGreaterThan(0);
    expect(scoring[0]?.jobs).toBeGreaterThan(0);
    // The parts are those that it began with, whoever goes on with it.
    await interrupt(gradients, gone, ({ type }) => type === "generation", {
      engine: await severalDevices(gradients, 2),
    });
    await resumeRun(gone, { engine: await severalDevices(gradients, 3) });
    expect(traces(gone)).toEqual(traces(one));
  });

  test("end with a run that is killed, which goes on without them", async () => {
    const folder = join(await temporaryFolder(), "run");
    const given = JSON.stringify({ file, folder, devices: 2 });
    const child = spawn(process.execPath, [compiled("test/workers/run-on-devices"), given]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const closed = once(child, "close");
    const children: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (/^\d+$/.test(line)) children.push(Number(line));
      if (line === "generation") break;
    }
    child.kill("SIGKILL");
    await closed;
    expect(children.length).toBeGreaterThan(1);
    await vi.waitFor(() => expect(children.filter(isAlive)).toEqual([]), 20_000);
    await resumeRun(folder);
    expect(traces(folder)).toEqual(expected);
  });
});
