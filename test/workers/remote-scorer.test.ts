import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Evaluator } from "../../src/evaluate/evaluator.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { stampsOf } from "../../src/experiment/identity.ts";
import { loadTasks, type Task } from "../../src/experiment/load-tasks.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import { allRows } from "../../src/run/session/session.ts";
import { genomeOf } from "../../src/space/spaces.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import type { WorkerAnswer } from "../../src/workers/answers.ts";
import { RemoteScorer } from "../../src/workers/remote-scorer.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { LocalDealer } from "./local-dealer.ts";

const BATCH_TOKENS = 256;
const WEIGHTS = { quiz: 0.7, news: 0.3 };

let folder = "";
let experiment: Experiment;
/** Of a run, whose parents are read by nobody, and of two workers. */
let run: Workspace;
let workers: Workspace[] = [];
let tasks: readonly Task[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(folder);
  run = await openWorkspace(experiment);
  workers = [await openWorkspace(experiment), await openWorkspace(experiment)];
  tasks = await loadTasks(experiment, run.evaluator);
});
afterAll(async () => {
  for (const workspace of [run, ...workers]) await workspace[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function recipes(count: number): Recipe[] {
  const genome = genomeOf(experiment.space, { ...run, base: "base" });
  return Array.from({ length: count }, (_, i) => {
    const random = RandomStream.of(i, "points");
    return genome.decode(Float64Array.from({ length: genome.dimension }, () => random.uniform()));
  });
}

/** One that scores by so many workers, in small batches. */
function remote(count: number): { readonly dealer: LocalDealer; readonly evaluator: Evaluator } {
  const dealer = new LocalDealer(count, ...workers);
  const options = { use: "evaluator", batchTokens: BATCH_TOKENS, parents: run, isMixed: false } as const;
  return { dealer, evaluator: run.evaluator.withScorer(new RemoteScorer(dealer, options)) };
}

/** One that does not. */
function local(): Evaluator {
  return run.evaluator.withScorer(workers[0]!.scorer("evaluator", BATCH_TOKENS));
}

describe("scoring by workers", () => {
  test.each([1, 2, 3, 7])("gives every number the bits that it has without, by %i workers", async (count) => {
    const rows = allRows(tasks, "search");
    const options = { digestOf: 2, greedy: true } as const;
    const expected = await local().evaluate(recipes(5), rows, options);
    const { dealer, evaluator } = remote(count);
    expect(await evaluator.evaluate(recipes(5), rows, options)).toEqual(expected);
    const hashing = dealer.jobs.filter((job) => job.kind === "score" && job.digestOf !== undefined);
    expect(hashing).toHaveLength(1);
    expect(dealer.jobs.length).toBeGreaterThanOrEqual(Math.min(5, count));
  });

  test("is dealt in one round to workers that were alike at the last one", async () => {
    let ms = 0;
    const dealer = new LocalDealer(2, ...workers);
    const options = { use: "evaluator", batchTokens: BATCH_TOKENS, parents: run, isMixed: false } as const;
    const evaluator = run.evaluator.withScorer(new RemoteScorer(dealer, { ...options, now: () => ms }));
    const jobsOf = async (named: (worker: string) => string): Promise<number> => {
      const before = dealer.jobs.length;
      // All are told at the same time, when all are done.
      dealer.onTheWay = (answer) => {
        ms += 1000;
        return { ...answer, worker: named(answer.worker) };
      };
      await evaluator.evaluate(recipes(4), allRows(tasks, "guard"));
      return dealer.jobs.length - before;
    };
    const [by, one] = [(worker: string): string => worker, (): string => "w0"];
    // Nothing is known of them at first; a second that did nothing may be slow.
    expect([await jobsOf(by), await jobsOf(by), await jobsOf(one), await jobsOf(by)]).toEqual([4, 2, 2, 4]);
  });

  test("goes on behind the parts that were kept, and keeps the same ones", async () => {
    const rows = allRows(tasks, "search");
    const kept: { readonly batches: number; readonly logLikelihoods: Float64Array }[] = [];
    const parts = { place: "", kept: [], partMs: 0, keep: (part: (typeof kept)[number]) => void kept.push(part) };
    const expected = await local().evaluate(recipes(3), rows, { parts });
    const ofOne = kept.splice(0);
    expect(await remote(2).evaluator.evaluate(recipes(3), rows, { parts })).toEqual(expected);
    expect(kept.map(({ logLikelihoods }) => logLikelihoods)).toEqual(ofOne.map((part) => part.logLikelihoods));
    expect(ofOne.length).toBeGreaterThan(1);
    const before = ofOne.slice(0, 2).map(({ batches, logLikelihoods }) => ({
      batches,
      count: logLikelihoods.length,
      read: () => logLikelihoods,
    }));
    const resumed = await remote(2).evaluator.evaluate(recipes(3), rows, { parts: { ...parts, kept: before } });
    expect(resumed).toEqual(expected);
  });

  test.each([1, 2, 5])("differentiates with the same bits, by one of %i workers", async (count) => {
    const rows = allRows(tasks, "search");
    const expected = await local().gradient(recipes(4), rows, WEIGHTS);
    expect(await remote(count).evaluator.gradient(recipes(4), rows, WEIGHTS)).toEqual(expected);
  });

  test("reads the parents of the run once, and tells workers what must be in theirs", async () => {
    await using own = await openWorkspace(experiment);
    const dealer = new LocalDealer(1, ...workers);
    const options = { use: "evaluator", batchTokens: BATCH_TOKENS, parents: own, isMixed: false } as const;
    const evaluator = own.evaluator.withScorer(new RemoteScorer(dealer, options));
    const guard = allRows(tasks, "guard");
    for (let times = 0; times < 2; times += 1) await evaluator.evaluate(recipes(1), guard);
    for (const [name, { known, bytesRead, tensors }] of own.checkpoints) {
      expect(bytesRead).toBe([...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0));
      for (const job of dealer.jobs) expect(job).toMatchObject({ tensors: { [name]: Object.fromEntries(known) } });
    }
  });

  test("tells stamps of files to workers of this machine alone", async () => {
    for (const areFilesShared of [true, false]) {
      const dealer = new LocalDealer(1, ...workers);
      const options = {
        use: "evaluator",
        batchTokens: BATCH_TOKENS,
        parents: run,
        isMixed: false,
        areFilesShared,
      } as const;
      const evaluator = run.evaluator.withScorer(new RemoteScorer(dealer, options));
      await evaluator.evaluate(recipes(1), allRows(tasks, "guard"));
      const told = stampsOf(run);
      expect(Object.keys(told)).toEqual([...run.checkpoints.keys()]);
      expect(dealer.jobs.map((job) => "stamps" in job && job.stamps)).toEqual([areFilesShared && told]);
    }
  });

  test("is refused by a worker whose weights are others, before and after it has read them", async () => {
    const copy = await mkdtemp(join(tmpdir(), "evomerge-"));
    onTestFinished(() => rm(copy, { recursive: true, force: true }));
    await using other = await openWorkspace(await tinyExperiment(copy, { model: { seed: 5 } }));
    const dealer = new LocalDealer(1, other);
    const options = { use: "evaluator", batchTokens: BATCH_TOKENS, parents: run, isMixed: false } as const;
    const scorer = new RemoteScorer(dealer, options);
    const answers: WorkerAnswer[] = [];
    dealer.onTheWay = (answer) => (answers.push(answer), answer);
    for (let times = 0; times < 2; times += 1) {
      const refused = run.evaluator.withScorer(scorer).evaluate(recipes(1), allRows(tasks, "guard"));
      await expect(refused).rejects.toThrow("expected numbers, found refused");
    }
    const why = expect.stringMatching(/^\w+: tensor \S+: expected the bytes that the run has, found others; give the/);
    expect(answers).toEqual([1, 2].map(() => ({ worker: "w0", kind: "refused", why })));
  });

  test.each<[string, (numbers: Extract<WorkerAnswer, { kind: "numbers" }>) => object, string]>([
    ["fewer recipes", ({ logLikelihoods }) => ({ logLikelihoods: logLikelihoods.slice(1) }), "of 1 recipes, found 0"],
    ["fewer numbers", () => ({ logLikelihoods: [""] }), "log-likelihoods, found 0"],
    ["no numbers", () => ({ logLikelihoods: ["x"] }), "in base64, found other text"],
    [
      "an infinite likelihood",
      ({ logLikelihoods }) => ({ logLikelihoods: filled(logLikelihoods, Infinity) }),
      "expected log-likelihoods, found Infinity",
    ],
    [
      "a likelihood above 1",
      ({ logLikelihoods }) => ({ logLikelihoods: filled(logLikelihoods, 0.01) }),
      "expected log-likelihoods, found 0.01",
    ],
    ["no hash where one was asked for", () => ({ digest: undefined }), "expected a hash of weights, found none"],
  ])("takes no answer with %s", async (_, change, sentence) => {
    const { dealer, evaluator } = remote(1);
    // What the run knows it has from a first answer.
    await evaluator.evaluate(recipes(1), allRows(tasks, "guard"));
    dealer.onTheWay = (answer) => (answer.kind === "numbers" ? { ...answer, ...change(answer) } : answer);
    await expect(evaluator.evaluate(recipes(1), allRows(tasks, "guard"), { digestOf: 0 })).rejects.toThrow(sentence);
  });
});

/** As many numbers, all of them the same. */
function filled([one = ""]: readonly string[], value: number): string[] {
  const values = new Float64Array(Buffer.from(one, "base64").length / 8).fill(value);
  return [Buffer.from(values.buffer).toString("base64")];
}
