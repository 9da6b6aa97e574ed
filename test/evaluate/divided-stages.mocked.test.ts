import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { UserError } from "../../src/errors.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { ParentReader } from "../../src/evaluate/parent-reader.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import { testedEngines } from "../device/tested-engines.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TinyModel } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";
import { stackOf } from "./stacked-model.ts";
import { distinctRecipes, experts, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

const [VOCABULARY, WIDTH, ROWS] = [600, 64, 256];
const HEAD = "lm_head.weight";
const llama: TinyModel = { vocabulary: VOCABULARY, hidden: WIDTH };
/** Of which head, from which row on so many. */
const BLOCKS = [
  [0, ROWS],
  [ROWS, ROWS],
  [2 * ROWS, VOCABULARY - 2 * ROWS],
];

const devices = new Map(await Promise.all(testedEngines.map(async ([name, open]) => [name, await open()] as const)));
const ggml = devices.get("ggml")!;
afterAll(async () => {
  for (const device of devices.values()) await device[Symbol.asyncDispose]();
});

// As if all files had been written a while ago: one that was just written may be another at the same time.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 }));
afterEach(() => void vi.useRealTimers());

/** Notes what it brought of the head. */
class NotedHead extends ParentReader {
  readonly brought: (readonly number[] | "whole")[] = [];

  override bring(...asked: Parameters<ParentReader["bring"]>): ReturnType<ParentReader["bring"]> {
    if (asked[0] === HEAD) this.brought.push("whole");
    return super.bring(...asked);
  }

  override bringRows(...asked: Parameters<ParentReader["bringRows"]>): ReturnType<ParentReader["bringRows"]> {
    const [name, rows] = asked;
    if (name === HEAD) this.brought.push([rows[0]!, rows.length]);
    return super.bringRows(...asked);
  }
}

interface Divided extends AsyncDisposable {
  readonly scorer: GenerationScorer;
  readonly brought: NotedHead["brought"];
}

/** Scores the family with parents of which nothing stays, the head in blocks if it may come so. */
function divided(family: TinyFamily, device = ggml, aheadBytes?: number): Divided {
  const reader = new NotedHead(device, family.checkpoints);
  const options = { reader, stayBytes: 0, blockElements: ROWS * WIDTH, aheadBytes };
  const parents = new ParentWeights(device, family.checkpoints, options);
  const merging = { device, model: family.model, parents, base: "base", experts };
  const scorer = new GenerationScorer({ ...merging, batchTokens: 64 });
  return { scorer, brought: reader.brought, [Symbol.asyncDispose]: () => parents[Symbol.asyncDispose]() };
}

const copy: Recipe = { method: "passthrough", model: "a" };
const recipes = [...distinctRecipes(2, 2), copy];
const prompts = randomPrompts(4, { vocabulary: VOCABULARY });

function open(model: TinyModel, device = ggml): Promise<TinyFamily> {
  return temporaryFolder().then((folder) => openTinyFamily(folder, device, { model, resident: true }));
}

/** What a second pass finds, and what it brought of the head. */
async function secondly({ scorer, brought }: Divided, ...asked: Parameters<GenerationScorer["score"]>) {
  const first = await scorer.score(...asked);
  expect(brought.splice(0)).toEqual(["whole"]);
  const second = await scorer.score(...asked);
  expect(second).toEqual(first);
  return second;
}

describe.each([...devices])("on %s", (_, device: Device) => {
  test.each([0, undefined])("a head in blocks has the bits of a whole one; read ahead: %s", async (aheadBytes) => {
    await using family = await open(llama, device);
    await using own = divided(family, device, aheadBytes);
    const found = await secondly(own, recipes, prompts, { greedy: true });
    expect(own.brought).toEqual(BLOCKS);
    expect(found).toEqual(await family.scorer.score(recipes, prompts, { greedy: true }));
  });
});

test("a head is in blocks behind stacks of several heights", async () => {
  await using family = await open({ ...llama, layers: 3 });
  await using own = divided(family, ggml, 0);
  const stacks = [stackOf("base0 a1*0.7 b2*1.3 a2", "a"), stackOf("b2", "b"), copy];
  expect(await secondly(own, stacks, prompts)).toEqual(await family.scorer.score(stacks, prompts));
  expect(own.brought).toEqual(BLOCKS);
});

test("the head of a T5 is in blocks", async () => {
  await using family = await open({ config: tinyT5Config({ d_model: WIDTH }), vocabulary: VOCABULARY });
  await using own = divided(family, ggml, 0);
  const asked = prompts.map(({ context, ...prompt }) => ({ ...prompt, source: context, context: Int32Array.of(0) }));
  const groups = family.model.groups.map(({ name, layers }) => {
    const curve = (weight: number) => ({ layers: Array.from({ length: layers }, () => weight), rest: weight });
    return [name, { a: curve(0.4), b: curve(0.7) }];
  });
  const merge: Recipe = { method: "task_arithmetic", parameters: { weight: Object.fromEntries(groups) } };
  expect(await secondly(own, [merge], asked)).toEqual(await family.scorer.score([merge], asked));
  expect(own.brought).toEqual(BLOCKS);
});

describe("a head is read as a whole", () => {
  test("for a hash of the merge, and for derivatives", async () => {
    await using family = await open(llama);
    await using own = divided(family);
    const { digest } = await secondly(own, recipes, prompts, { digestOf: 0 });
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const rows = prompts.map((prompt) => ({
      prompts: [prompt],
      derivative: (values: readonly Float64Array[]) => values,
    }));
    const found = await own.scorer.gradient(recipes, rows);
    expect(found).toEqual(await family.scorer.gradient(recipes, rows));
    expect(own.brought).toEqual(["whole", "whole"]);
  });

  test("where the logits would take more memory than that", async () => {
    await using family = await open(llama);
    await using own = divided(family);
    const many = randomPrompts(40, { vocabulary: VOCABULARY });
    expect(await secondly(own, recipes, many)).toEqual(await family.scorer.score(recipes, many));
    expect(own.brought).toEqual(["whole"]);
  });

  test("where it is the embedding", async () => {
    await using family = await open({ ...llama, tied: true });
    await using own = divided(family);
    const first = await own.scorer.score(recipes, prompts);
    expect(await own.scorer.score(recipes, prompts)).toEqual(first);
    expect(own.brought).toEqual([]);
  });
});

test("blocks of a file that was touched are read again, and those of another one are refused", async () => {
  await using family = await open(llama);
  await using own = divided(family, ggml, 0);
  const found = await secondly(own, recipes, prompts);
  const a = family.checkpoints.get("a")!;
  const path = join(a.folder, "model.safetensors");
  utimesSync(path, 1, 1);
  expect(await own.scorer.score(recipes, prompts)).toEqual(found);
  // In the last block.
  flip(path, a.placeOf(HEAD)!.start + a.tensors.get(HEAD)!.bytes - 1);
  const refused = own.scorer.score(recipes, prompts);
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(`${path}: tensor`);
});

test("nothing stays of a head of which some blocks were multiplied", async () => {
  await using family = await open(llama);
  await using own = divided(family, ggml, 0);
  await secondly(own, recipes, prompts);
  const before = ggml.memory.bytes;
  for (const block of [1, 2]) {
    const control = new AbortController();
    const onProgress = (): void => {
      if (own.brought.length > block) control.abort(new Error("enough"));
    };
    own.brought.splice(0);
    const stopped = own.scorer.score(recipes, prompts, { signal: control.signal, onProgress });
    await expect(stopped).rejects.toThrow("enough");
    expect(ggml.memory.bytes).toBe(before);
  }
});
