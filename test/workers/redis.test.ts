import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Queue } from "bullmq";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { allRows } from "../../src/run/session/session.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import type { RunOptions } from "../../src/run/run-options.ts";
import { joinWorkers, type JoinOptions } from "../../src/workers/join-workers.ts";
import { queueName } from "../../src/workers/open-redis.ts";
import { redisPlace } from "../../src/workers/redis-place.ts";
import { command, evomerge } from "../cli/evomerge.ts";
import { compiled } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { traces, writeTinyExperiment } from "../tiny-experiment.ts";
import { hasRedis, hasTls, selfSigned, startRedis } from "./redis-server.ts";

/** After which a lost worker's job is another's. */
const LOCK_MS = 600;

let models = "";
let file = "";
let experiment: Experiment;
/** What a run without workers leaves. */
let expected: ReturnType<typeof traces>;

beforeAll(async () => {
  if (!hasRedis) return;
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  file = await writeTinyExperiment(models);
  experiment = await loadExperiment(file);
  await launchRun(experiment, join(models, "one"));
  expected = traces(join(models, "one"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** A worker of this experiment, in a process. */
interface WorkerProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly errors: Promise<string>;
  /** A line for each job that it has begun. */
  readonly jobs: readonly string[];
  /** When it has begun so many jobs. */
  readonly begun: (count: number) => Promise<void>;
}

async function startWorker(url: string, options: object = {}): Promise<WorkerProcess> {
  const given = { file, url, slowMs: 0, lockMs: LOCK_MS, ...options };
  const child = spawn(process.execPath, [compiled("test/workers/serve"), JSON.stringify(given)]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const errors = text(child.stderr);
  const lines = createInterface({ input: child.stdout });
  const jobs: string[] = [];
  lines.on("line", (line) => line === "begins" && jobs.push(line));
  await once(lines, "line");
  const begun = async (count: number): Promise<void> => {
    while (jobs.length < count) await once(lines, "line");
  };
  return { child, errors, jobs, begun };
}

/** Carries a run through with workers; returns what it leaves, and what it said. */
async function withWorkers(
  url: string,
  run: (options: RunOptions) => Promise<unknown>,
  folder: string,
  join: JoinOptions & Pick<RunOptions, "onEvent"> = {},
): Promise<{ readonly left: ReturnType<typeof traces>; readonly notices: readonly string[] }> {
  const notices: string[] = [];
  const place = { redis: redisPlace(url, {}), experiment: experiment.name };
  await using elsewhere = await joinWorkers(place, { onNotice: (text) => void notices.push(text), ...join });
  await run({ elsewhere, ...join });
  return { left: traces(folder), notices };
}

describe.skipIf(!hasRedis)("workers over Redis", () => {
  test("leave the journal of a run without them", async () => {
    const { url } = await startRedis();
    const workers = [await startWorker(url), await startWorker(url)];
    // What is no job ends nobody.
    const place = { redis: redisPlace(url, {}), experiment: experiment.name };
    const queue = new Queue(queueName(place), { connection: place.redis.connection });
    await queue.addBulk(["x", "y", "z"].map((name) => ({ name, data: { job: { kind: "score" } } })));
    await queue.close();
    const folder = join(await temporaryFolder(), "run");
    const { left, notices } = await withWorkers(url, (options) => launchRun(experiment, folder, options), folder);
    expect(left).toEqual(expected);
    expect(notices).toEqual([]);
    await Promise.all(workers.map(({ begun }) => begun(1)));
    for (const { child } of workers) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
  });

  test("that come after the first are dealt to from the first scoring on", async () => {
    const { url } = await startRedis();
    const workers = [await startWorker(url)];
    const place = { redis: redisPlace(url, {}), experiment: experiment.name };
    await using elsewhere = await joinWorkers(place);
    await using workspace = await openWorkspace(experiment, { elsewhere });
    workers.push(await startWorker(url));
    const queue = new Queue(queueName(place), { connection: place.redis.connection });
    await vi.waitFor(async () => expect(await queue.getWorkersCount()).toBe(2), 60_000);
    await queue.close();
    const rows = allRows(await loadTasks(experiment, workspace.evaluator), "guard");
    const copies = ["base", "nature", "craft"].map((model) => ({ method: "passthrough", model }) as const);
    await workspace.evaluator.evaluate(copies, rows);
    expect(workers.flatMap(({ jobs }) => jobs).length).toBeGreaterThan(1);
  });

  test("answer a job that cannot be computed with a sentence, by which the run ends, and go on", async () => {
    const { url } = await startRedis();
    const { child } = await startWorker(url);
    const place = { redis: redisPlace(url, {}), experiment: experiment.name };
    const notices: string[] = [];
    {
      await using elsewhere = await joinWorkers(place, { onNotice: (text) => void notices.push(text) });
      await using workspace = await openWorkspace(experiment, { elsewhere });
      const rows = allRows(await loadTasks(experiment, workspace.evaluator), "guard");
      const impossible = workspace.evaluator.evaluate([{ method: "passthrough", model: "nobody" }], rows);
      await expect(impossible).rejects.toThrow(
        /^the same job failed 3 times; at last by worker \d+ on .+: merge: no model named nobody$/,
      );
    }
    expect(notices).toEqual([
      expect.stringMatching(/^worker .*: merge: no model named nobody; its job is given out again$/),
    ]);
    const folder = join(await temporaryFolder(), "run");
    const { left } = await withWorkers(url, (options) => launchRun(experiment, folder, options), folder);
    expect(left).toEqual(expected);
    expect(child.exitCode).toBeNull();
  });

  test("are not looked for in another database than the one that was named", async () => {
    const { url } = await startRedis();
    await expect(
      withWorkers(`${url}/99`, (options) => launchRun(experiment, "nowhere", options), "nowhere"),
    ).rejects.toThrow(/\/99: Redis cannot be used: ERR DB index is out of range/);
  });

  test("that are killed at their jobs change nothing", async () => {
    const { url } = await startRedis();
    const [lost] = [await startWorker(url, { slowMs: 5000 }), await startWorker(url, { slowMs: 20 })];
    const folder = join(await temporaryFolder(), "run");
    const running = withWorkers(url, (options) => launchRun(experiment, folder, options), folder);
    await lost.begun(1);
    lost.child.kill("SIGKILL");
    expect((await running).left).toEqual(expected);
  });

  test("go on with a Redis that was killed and comes back empty", async () => {
    const redis = await startRedis();
    const { url } = redis;
    const worker = await startWorker(url, { slowMs: 50 });
    await startWorker(url, { slowMs: 50 });
    const folder = join(await temporaryFolder(), "run");
    const notices = new EventEmitter();
    const onNotice = (text: string): void => void notices.emit("notice", text);
    const running = withWorkers(url, (own) => launchRun(experiment, folder, own), folder, { onNotice });
    await worker.begun(4);
    const notice = once(notices, "notice");
    await redis.kill();
    expect(String(await notice)).toMatch(/^redis:\S+: .*; trying again$/);
    await redis.start();
    expect((await running).left).toEqual(expected);
  });

  test("go on with a run that was killed and is resumed, and leave what they were doing for the dead one", async () => {
    const { url } = await startRedis();
    const workers = [await startWorker(url, { slowMs: 100 }), await startWorker(url, { slowMs: 100 })];
    const folder = join(await temporaryFolder(), "run");
    const args = ["run", file, "--out", folder, "--redis", url];
    const child = spawn(command[0]!, [...command.slice(1), ...args]);
    onTestFinished(() => void child.kill("SIGKILL"));
    await Promise.race(workers.map(({ begun }) => begun(8)));
    child.kill("SIGKILL");
    await once(child, "exit");
    const { left } = await withWorkers(url, (options) => resumeRun(folder, options), folder);
    expect(left).toEqual(expected);
  });

  test("are left by a run that is interrupted, with no job for them", async () => {
    const { url } = await startRedis();
    const worker = await startWorker(url, { slowMs: 50 });
    const folder = join(await temporaryFolder(), "run");
    const interruption = new AbortController();
    const onEvent = ({ type }: RunEvent): void => {
      if (type === "generation") interruption.abort(new Error("enough"));
    };
    const options = { signal: interruption.signal, onEvent };
    const running = withWorkers(url, (own) => launchRun(experiment, folder, own), folder, options);
    await expect(running).rejects.toThrow("enough");
    const { left } = await withWorkers(url, (own) => resumeRun(folder, own), folder);
    expect(left).toEqual(expected);
    expect(worker.child.exitCode).toBeNull();
  });

  test("with another expert, or another engine, are refused in a sentence, by both", async () => {
    const { url } = await startRedis();
    const copy = await temporaryFolder();
    await cp(models, copy, { recursive: true });
    await writeTinyExperiment(copy, { model: { layers: 2, seed: 5 } });
    const right = await startWorker(url, { slowMs: 150 });
    const folder = join(await temporaryFolder(), "run");
    const wrong: WorkerProcess[] = [];
    const { left, notices } = await withWorkers(
      url,
      async (options) => {
        for (const own of [{ file: join(copy, "tiny.yaml") }, { engine: "tfjs" }])
          wrong.push(await startWorker(url, own));
        await launchRun(experiment, folder, options);
      },
      folder,
    );
    expect(left).toEqual(expected);
    const [otherExpert, otherEngine] = await Promise.all(wrong.map(({ errors }) => errors));
    expect(otherExpert).toMatch(/: tensor \S+: expected the bytes that the run has, found others/);
    expect(otherEngine).toMatch(/this worker was refused: engine: expected ggml .* found TensorFlow/);
    expect(notices.join("\n")).toMatch(/was refused: engine: expected ggml/);
    expect([...wrong, right].map(({ child }) => child.exitCode)).toEqual([1, 1, null]);
  });

  test("with other engines score where that is asked for", async () => {
    const { url } = await startRedis();
    await startWorker(url, { slowMs: 50 });
    const folder = join(await temporaryFolder(), "run");
    const launch = async (options: RunOptions): Promise<void> => {
      const wasm = await startWorker(url, { engine: "tfjs", slowMs: 50 });
      await Promise.all([launchRun(experiment, folder, options), wasm.begun(1)]);
    };
    const { notices } = await withWorkers(url, launch, folder, { isMixed: true });
    expect(notices.join("\n")).not.toMatch(/refused/);
  });

  test("are told in one sentence of a Redis that is not there, or does not know the password, without showing it", async () => {
    const { url, kill } = await startRedis({ password: "right" });
    const wrong = url.replace("//", "//:wr0ng@");
    for (const args of [
      ["run", file, "--out", join(models, "none")],
      ["worker", file],
    ]) {
      const { code, stderr } = await evomerge(models, [...args, "--redis", wrong]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /evomerge: redis:\S+: Redis cannot be used: WRONGPASS .*; start redis-server, or correct --redis\n$/,
      );
      expect(stderr).not.toContain("wr0ng");
    }
    await kill();
    const { stderr } = await evomerge(models, ["worker", file, "--redis", url]);
    expect(stderr).toMatch(/Redis cannot be used: connect ECONNREFUSED/);
  });

  test.skipIf(!hasTls)("meet runs over TLS where the certificate is trusted, and say so where it is not", async () => {
    const tls = await selfSigned();
    const { url } = await startRedis({ tls, password: "right" });
    const folder = await temporaryFolder();
    const redis = ["--redis", url];
    const stranger = await evomerge(folder, ["worker", file, ...redis], { env: { REDISCLI_AUTH: "right" } });
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toMatch(
      /rediss:\S+: Redis cannot be used: self-signed certificate; (.*; )?name its certificate, .*\n$/,
    );

    const env = { REDISCLI_AUTH: "right", NODE_EXTRA_CA_CERTS: tls.certificate };
    let worker: ChildProcessWithoutNullStreams | undefined;
    const watch = (child: ChildProcessWithoutNullStreams): void => void (worker = child);
    const working = evomerge(folder, ["worker", file, ...redis], { env, watch });
    const { code } = await evomerge(folder, ["run", file, "--out", "run", ...redis], { env });
    expect(code).toBe(0);
    expect(traces(join(folder, "run"))).toEqual(expected);
    worker?.kill("SIGINT");
    expect((await working).stderr).toMatch(/jobs done: [1-9]/);
  });
});
