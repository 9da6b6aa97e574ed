import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Device } from "../../src/device/device.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { inRowOrder, promptsOf } from "../../src/evaluate/prompt.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { testedEngines } from "../device/tested-engines.ts";

interface ExpectedPrompt {
  readonly context: number[];
  readonly continuations: number[][];
  readonly logLikelihoods: number[];
}

/** Checkpoints with bf16 weights that transformers wrote, and its log-likelihoods in f32 (test/fixtures/model/make.py). */
const fixtures = join(import.meta.dirname, "..", "fixtures", "model");
const names = readdirSync(fixtures).filter((name) => existsSync(join(fixtures, name, "expected.json")));

/** What rounding the activations before products to bf16 may change, in nats of a token, two layers deep. */
const BF16_PRODUCTS = 0.15;

const noText: TaskRow = { id: "ids", kind: "text", context: "", continuations: [], label: 0, passage: "", group: "" };

/** The largest error of a log-likelihood, of all of it and of each of its tokens. */
async function errorsOf(device: Device, name: string, precision: Dtype): Promise<{ whole: number; token: number }> {
  const prompts = JSON.parse(readFileSync(join(fixtures, name, "expected.json"), "utf8")) as ExpectedPrompt[];
  await using checkpoint = await Checkpoint.open(join(fixtures, name));
  const model = openModel(checkpoint, precision);
  checkWeights(model, checkpoint);
  await using parents = new ParentWeights(device, new Map([["only", checkpoint]]));
  const scorer = new GenerationScorer({ device, model, parents, base: "only", experts: [], batchTokens: 64 });
  const rows = prompts.map(({ context, continuations }) => {
    const ids = continuations.map((own) => Int32Array.from(own));
    return promptsOf(noText, { context: Int32Array.from(context), continuations: ids }, model);
  });
  const { logLikelihoods } = await scorer.score(
    [{ method: "passthrough", model: "only" }],
    rows.flatMap((row) => row.prompts),
  );
  const found = logLikelihoods[0]!.values();
  const values = rows.map((row) =>
    inRowOrder(
      row,
      Array.from(row.prompts, () => found.next().value!),
    ),
  );
  const errors = prompts.flatMap(({ continuations, logLikelihoods: expected }, i) =>
    expected.map((value, j) => {
      const whole = Math.abs(values[i]![j]! - value);
      return { whole, token: whole / continuations[j]!.length };
    }),
  );
  return {
    whole: Math.max(...errors.map(({ whole }) => whole)),
    token: Math.max(...errors.map(({ token }) => token)),
  };
}

describe.each(testedEngines)("log-likelihoods on %s", (_, open) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(names)("%s: those of transformers within 1e-4 nats in f32", async (name) => {
    expect((await errorsOf(device, name, "f32")).whole).toBeLessThan(1e-4);
  });

  test.each(names)("%s: those of transformers within the tolerance of products in bf16", async (name) => {
    expect((await errorsOf(device, name, "bf16")).token).toBeLessThan(BF16_PRODUCTS);
  });
});
