import { cpSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { UserError } from "../../src/errors.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { distinctRecipes, openTinyFamily, randomPrompts } from "../evaluate/tiny-family.ts";
import { interrupt, launch } from "../observed-run.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, tinyExperiment, traces } from "../tiny-experiment.ts";

/** Files of 5 MiB: bytes lie between those that samples of a mebibyte at the start, in the middle and at the end hold. */
const model = { hidden: 64, layers: 8, config: { intermediate_size: 1536 } };

let models: string;
let experiment: Experiment;
/** A run that was interrupted after its first generation, and one that is finished. */
let begun: string;
let finished: string;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  experiment = await tinyExperiment(models, { model });
  begun = join(models, "begun");
  finished = join(models, "finished");
  await interrupt(experiment, begun, ({ type }) => type === "generation");
  await launch(experiment, finished);
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** Where a tensor begins in the only file of a model. */
async function placeOf(folder: string, tensor: string): Promise<number> {
  await using checkpoint = await Checkpoint.open(folder);
  const tensors = [...checkpoint.tensors.values()];
  const before = tensors.slice(
    0,
    tensors.findIndex(({ name }) => name === tensor),
  );
  const bytes = (of: typeof tensors): number => of.reduce((sum, info) => sum + info.bytes, 0);
  return statSync(join(folder, "model.safetensors")).size - bytes(tensors) + bytes(before);
}

/** What work is refused with while one byte of a parent is another; ~ stands for the folder of the models. */
async function refusalWhileChanged(parent: string, tensor: string, work: () => Promise<unknown>): Promise<string> {
  const path = join(models, parent, "model.safetensors");
  const at = (await placeOf(join(models, parent), tensor)) + 2;
  flip(path, at);
  try {
    const reason: unknown = await work().then(
      () => "nothing",
      (error: unknown) => error,
    );
    expect(reason).toBeInstanceOf(UserError);
    return (reason as UserError).message.replace(models, "~").replaceAll(/\[[\d,]+\] [0-9a-f]{12}\b/g, "#");
  } finally {
    flip(path, at);
  }
}

const sentence = (parent: string, tensor: string): string =>
  `~/${parent}/model.safetensors: tensor ${tensor}: expected bf16 # as when it was first read, found bf16 #; restore the file, or start a new run`;

/** The first tensor, the last, and one that lies between the middle of the file and its end. */
const changes = [
  ["base", "model.embed_tokens.weight"],
  ["nature", "model.layers.2.mlp.up_proj.weight"],
  ["craft", "model.layers.6.mlp.gate_proj.weight"],
  ["craft", "lm_head.weight"],
] as const;

describe("a parent of which one byte has changed, its times restored", () => {
  test.each(changes)(
    "is noticed in %s, %s, by a resumed run, which records nothing from it",
    async (parent, tensor) => {
      const run = join(await temporaryFolder(), "run");
      cpSync(begun, run, { recursive: true });
      const refusal = await refusalWhileChanged(parent, tensor, () => resumeRun(run));
      expect(refusal).toBe(sentence(parent, tensor));
      expect(recorded(run, "result")).toEqual(recorded(begun, "result"));
      await resumeRun(run);
      expect(traces(run)).toEqual(traces(finished));
    },
  );

  test.each(changes)("is noticed in %s, %s, by resuming and by exporting a finished run", async (parent, tensor) => {
    const before = traces(finished);
    const to = join(await temporaryFolder(), "model");
    for (const work of [() => resumeRun(finished), () => exportRun(finished, { to })]) {
      expect(await refusalWhileChanged(parent, tensor, work)).toBe(sentence(parent, tensor));
    }
    expect(traces(finished)).toEqual(before);
    expect(await exportRun(finished, { to })).toHaveProperty("weightsDigest");
  });
});

describe("a parent that is cut short once it is open", () => {
  test("ends the run in one sentence, and the run goes on when it is whole", async () => {
    const folder = await temporaryFolder();
    cpSync(begun, join(folder, "run"), { recursive: true });
    const path = join(models, "craft", "model.safetensors");
    const whole = readFileSync(path);
    const half = Math.floor(whole.length / 2);
    const onEvent = ({ type }: RunEvent): void => void (type === "opened" && truncateSync(path, half));
    try {
      const reason: unknown = await resumeRun(join(folder, "run"), { onEvent }).catch((error: unknown) => error);
      expect(reason).toBeInstanceOf(UserError);
      expect((reason as UserError).message.replace(/up to \d+/, "up to #")).toBe(
        `${path}: expected bytes up to #, found the end at ${half}; it was cut while open`,
      );
    } finally {
      writeFileSync(path, whole);
    }
    expect(recorded(join(folder, "run"), "result")).toEqual(recorded(begun, "result"));
    await resumeRun(join(folder, "run"));
    expect(traces(join(folder, "run"))).toEqual(traces(finished));
  });
});

describe("a parent that changes while a run goes on", () => {
  test("is noticed when it is read again, and its scores are not told", async () => {
    await using device = await openGgml({ backend: "cpu" });
    await using family = await openTinyFamily(await temporaryFolder(), device, { resident: false });
    const score = async (): Promise<object> => family.scorer.score(distinctRecipes(3, 2), randomPrompts(6));
    const scores = await score();
    const path = join(family.folder, "b", "model.safetensors");
    for (const tensor of ["model.embed_tokens.weight", "model.layers.1.self_attn.o_proj.weight", "lm_head.weight"]) {
      const at = await placeOf(join(family.folder, "b"), tensor);
      flip(path, at);
      await expect(score()).rejects.toThrow(`${path}: tensor ${tensor}: expected bf16`);
      flip(path, at);
      expect(await score()).toEqual(scores);
    }
  });

  test("cannot change what is on the device already, but is refused by the export", async () => {
    const folder = await temporaryFolder();
    cpSync(models, folder, {
      recursive: true,
      filter: (path) => !path.endsWith("begun") && !path.endsWith("finished"),
    });
    const copies = { ...experiment, base: join(folder, "base") };
    const path = join(folder, "base", "model.safetensors");
    const run = join(folder, "run");
    const at = await placeOf(join(folder, "base"), "lm_head.weight");
    await launchRun(copies, run, { onEvent: ({ type }) => void (type === "baselines" && flip(path, at)) });
    expect(traces(run).numbers).toEqual(traces(finished).numbers);
    await expect(exportRun(run)).rejects.toThrow(`${path}: tensor lm_head.weight: expected bf16`);
    flip(path, at);
    expect(await exportRun(run)).toHaveProperty("weightsDigest");
  });
});
