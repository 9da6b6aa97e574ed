import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { UserError } from "../../src/errors.ts";
import type { LossRow } from "../../src/evaluate/differentiate.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { ParentReader } from "../../src/evaluate/parent-reader.ts";
import { ParentWeights, type ParentWeightsOptions } from "../../src/evaluate/parent-weights.ts";
import { declarations, type MethodName, methodNames } from "../../src/merge/declarations.ts";
import { mergesByRow } from "../../src/merge/needs-of.ts";
import { stepAt, type MergeRecipe, type Recipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { flip } from "../flip.ts";
import { testedEngines } from "../device/tested-engines.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { TinyModel } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";
import { experts, openTinyFamily, randomPrompts, recipeOf, type TinyFamily } from "./tiny-family.ts";

const VOCABULARY = 600;
const EMBEDDING = "model.embed_tokens.weight";
const llama: TinyModel = { vocabulary: VOCABULARY };

const devices = new Map(await Promise.all(testedEngines.map(async ([name, open]) => [name, await open()] as const)));
const ggml = devices.get("ggml")!;
afterAll(async () => {
  for (const device of devices.values()) await device[Symbol.asyncDispose]();
});

// As if all files had been written a while ago: one that was just written may be another at the same time.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 }));
afterEach(() => void vi.useRealTimers());

/** Notes which weights it brought as a whole, and of which so many rows. */
class NotedRows extends ParentReader {
  readonly whole: string[] = [];
  readonly rows: (readonly [name: string, count: number])[] = [];

  override bring(...asked: Parameters<ParentReader["bring"]>): ReturnType<ParentReader["bring"]> {
    this.whole.push(asked[0]);
    return super.bring(...asked);
  }

  override bringRows(...asked: Parameters<ParentReader["bringRows"]>): ReturnType<ParentReader["bringRows"]> {
    this.rows.push([asked[0], asked[1].length]);
    return super.bringRows(...asked);
  }
}

type Ahead = Pick<ParentWeightsOptions, "aheadBytes">;

interface Streamed extends AsyncDisposable {
  readonly scorer: GenerationScorer;
  readonly reader: NotedRows;
}

/** Scores the family with parents of which nothing stays, and as many of the next stages are read ahead as there is room for. */
function streamed(
  family: TinyFamily,
  { members = experts, device = ggml, ...options }: { members?: readonly string[]; device?: Device } & Ahead = {},
): Streamed {
  const reader = new NotedRows(device, family.checkpoints);
  const parents = new ParentWeights(device, family.checkpoints, { reader, stayBytes: 0, ...options });
  const merging = { device, model: family.model, parents, base: "base", experts: members };
  const scorer = new GenerationScorer({ ...merging, batchTokens: 64 });
  return { scorer, reader, [Symbol.asyncDispose]: () => parents[Symbol.asyncDispose]() };
}

/** Some rows, of which few tokens are read, some of them more than once. */
function lossRows(count: number, vocabulary = VOCABULARY): LossRow[] {
  return randomPrompts(count, { vocabulary }).map((prompt) => ({
    prompts: [{ ...prompt, context: Int32Array.of(7, 599 % vocabulary, ...prompt.context, 7) }],
    derivative: (values) => values.map((own) => own.map((x) => 2 * x)),
  }));
}

/** What is found of the rows. */
async function found(scorer: GenerationScorer, recipes: readonly Recipe[], rows: readonly LossRow[]): Promise<unknown> {
  const prompts = rows.flatMap((row) => row.prompts);
  return [await scorer.score(recipes, prompts, { greedy: true }), await scorer.gradient(recipes, rows)];
}

/** The same once more, by passes of which the later ones know the parents. */
async function foundTwice(...asked: Parameters<typeof found>): Promise<unknown> {
  const first = await found(...asked);
  expect(await found(...asked)).toEqual(first);
  return first;
}

function mergesOf(method: MethodName): MergeRecipe[] {
  return [0.3, 0.4].map((start) => {
    const curves = recipeOf(2, (layer, expert) => start + 0.2 * layer + 0.1 * expert).parameters["weight"]!;
    return {
      method,
      parameters: Object.fromEntries(declarations[method].parameters.map(({ name }) => [name, curves])),
    };
  });
}

/** How an engine takes rows is seen of any method. */
const onOthers: readonly MethodName[] = ["task_arithmetic", "ties"];

describe.each([...devices.keys()])("on %s", (engine) => {
  test.each(engine === "ggml" ? methodNames : onOthers)(
    "rows of an embedding change no bit of scores or derivatives: %s",
    async (method) => {
      const device = devices.get(engine)!;
      const members = experts.slice(0, declarations[method].experts?.most);
      const recipes = mergesOf(method);
      const rows = lossRows(4);
      await using family = await openTinyFamily(await temporaryFolder(), device, { model: llama, resident: true });
      const { parents, model } = family;
      const merging = { device, model, parents, base: "base", experts: members, batchTokens: 64 };
      await using alone = streamed(family, { members, device });
      expect(await foundTwice(alone.scorer, recipes, rows)).toEqual(
        await found(new GenerationScorer(merging), recipes, rows),
      );
      const embedding = allWeights(model).find(({ name }) => name === EMBEDDING)!;
      const step = stepAt(recipes[0]!, embedding, members);
      const tokens = new Set(rows.flatMap(({ prompts }) => prompts.flatMap(({ context }) => [...context])));
      expect(alone.reader.rows.every(([name, count]) => name === EMBEDDING && count >= tokens.size)).toBe(true);
      // The first pass reads all of it; a way there and back reads the rows twice.
      expect(alone.reader.rows).toHaveLength(mergesByRow(step) ? 5 : 0);
    },
  );
});

test("of a T5 the rows are those of encoder and decoder", async () => {
  const model = { config: tinyT5Config(), vocabulary: VOCABULARY };
  await using family = await openTinyFamily(await temporaryFolder(), ggml, { model, resident: true });
  const rows = lossRows(4).map((row) => ({
    ...row,
    prompts: row.prompts.map(({ context, ...prompt }) => ({ ...prompt, source: context, context: Int32Array.of(0) })),
  }));
  const groups = family.model.groups.map(({ name, layers }) => {
    const curve = (weight: number) => ({ layers: Array.from({ length: layers }, () => weight), rest: weight });
    return [name, { a: curve(0.4), b: curve(0.7) }];
  });
  const recipe: MergeRecipe = { method: "task_arithmetic", parameters: { weight: Object.fromEntries(groups) } };
  await using alone = streamed(family);
  expect(await foundTwice(alone.scorer, [recipe], rows)).toEqual(await found(family.scorer, [recipe], rows));
  expect(new Set(alone.reader.rows.map(([name]) => name))).toEqual(new Set(["shared.weight"]));
});

describe("an embedding is read as a whole", () => {
  const recipes = mergesOf("task_arithmetic");
  const rows = lossRows(3);
  const prompts = rows.flatMap((row) => row.prompts);

  test("where a head reads all of it", async () => {
    const model = { ...llama, tied: true };
    await using family = await openTinyFamily(await temporaryFolder(), ggml, { model });
    await using alone = streamed(family);
    await foundTwice(alone.scorer, recipes, rows);
    expect(alone.reader.rows).toEqual([]);
  });

  test("for a hash of the merge", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), ggml, { model: llama });
    await using alone = streamed(family);
    const digests: unknown[] = [];
    for (const digestOf of [0, undefined, 0]) {
      const { digest } = await alone.scorer.score(recipes, prompts, digestOf === undefined ? {} : { digestOf });
      digests.push(digest);
    }
    expect(digests).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), undefined, digests[0]]);
    expect(alone.reader.rows).toHaveLength(1);
  });

  test("by a pass of as many tokens as it has rows", async () => {
    const model = { vocabulary: 60 };
    await using family = await openTinyFamily(await temporaryFolder(), ggml, { model, resident: true });
    await using alone = streamed(family);
    const many = lossRows(9, 60);
    expect(await foundTwice(alone.scorer, recipes, many)).toEqual(await found(family.scorer, recipes, many));
    expect(alone.reader.rows).toEqual([]);
  });

  test("once more where a file was touched, and is refused where it is another", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(folder, ggml, { model: llama });
    await using alone = streamed(family, { aheadBytes: 0 });
    const { logLikelihoods } = await alone.scorer.score(recipes, prompts);
    const a = family.checkpoints.get("a")!;
    const read = async (): Promise<number> => {
      const before = a.bytesRead;
      expect((await alone.scorer.score(recipes, prompts)).logLikelihoods).toEqual(logLikelihoods);
      return a.bytesRead - before;
    };
    const { bytes } = a.tensors.get(EMBEDDING)!;
    const few = await read();
    const path = join(folder, "a", "model.safetensors");
    utimesSync(path, 1, 1);
    expect(await read()).toBeGreaterThan(few + bytes / 2);
    expect(await read()).toBe(few);
    flip(path, a.placeOf(EMBEDDING)!.start + 1);
    const refused = alone.scorer.score(recipes, prompts);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(`${path}: tensor ${EMBEDDING}: expected bf16`);
  });
});

test("rows that are read for one pass are not there for the next", async () => {
  await using family = await openTinyFamily(await temporaryFolder(), ggml, { model: llama, resident: true });
  await using alone = streamed(family);
  const recipes = mergesOf("task_arithmetic");
  for (const seed of [1, 2, 3]) {
    const prompts = randomPrompts(3, { vocabulary: VOCABULARY, seed });
    const { logLikelihoods } = await alone.scorer.score(recipes, prompts);
    expect(logLikelihoods).toEqual((await family.scorer.score(recipes, prompts)).logLikelihoods);
  }
  expect(alone.reader.rows).toHaveLength(2);
  expect(alone.reader.whole.filter((name) => name === EMBEDDING)).toHaveLength(1);
});

test("rows that are read on the way back are not there for the next pass, though a file was touched meanwhile", async () => {
  const folder = await temporaryFolder();
  await using family = await openTinyFamily(folder, ggml, { model: llama, resident: true });
  await using alone = streamed(family);
  const recipes = mergesOf("task_arithmetic");
  const rows = lossRows(3);
  const expected = await found(family.scorer, recipes, rows);
  expect(await found(alone.scorer, recipes, rows)).toEqual(expected);
  // A file that was just touched may be another at the same time: nothing is known of it.
  vi.useRealTimers();
  utimesSync(join(folder, "a", "model.safetensors"), new Date(), new Date());
  await alone.scorer.gradient(recipes, rows);
  expect(await found(alone.scorer, recipes, rows)).toEqual(expected);
});
