/** Merges by mergekit's recipes of models with other tokens. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../src/experiment/open-checkpoint.ts";
import { mergeModels } from "../../../src/export/from-recipe/merge-models.ts";
import { checkWeights, openModel } from "../../../src/model/open-model.ts";
import { toFloat32 } from "../../../src/tensor/half.ts";
import { refusal } from "../../refusal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeTinyModel } from "../../tiny-model.ts";
import { writeTinyVocabulary } from "../../vocabulary/tiny-vocabularies.ts";

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

const at = (name: string): string => join(models, name);

/** A tied base, an expert of two more tokens with its own end, and one of another token with a head of its own. */
async function writeModels(): Promise<void> {
  await writeTinyVocabulary(at("base"), { tied: true });
  await writeTinyVocabulary(at("chat"), {
    tied: true,
    seed: 2,
    added: ["<a>", "<b>"],
    config: { eos_token_id: 321 },
  });
  await writeTinyVocabulary(at("tool"), { seed: 3, added: ["<c>"], rows: 336 });
}

const linear = (tokens: object): Parameters<typeof mergeModels>[0]["recipe"] => ({
  merge_method: "linear",
  base_model: at("base"),
  models: ["base", "chat", "tool"].map((name) => ({ model: at(name), parameters: { weight: 1 } })),
  ...tokens,
});

let written: Promise<void> | undefined;
/** Writes the models when they are first needed: their tokenizers lie in a folder of the test that calls it. */
const ready = (): Promise<void> => (written ??= writeModels());

interface Merged {
  readonly model: string;
  readonly notices: readonly string[];
}

async function merged(tokens: object): Promise<Merged> {
  await ready();
  return mergedBy(linear(tokens));
}

async function mergedBy(recipe: Parameters<typeof mergeModels>[0]["recipe"]): Promise<Merged> {
  const to = join(await temporaryFolder(), "merged");
  const notices: string[] = [];
  const onEvent = (event: { readonly type: string; readonly text?: string }): void => {
    if (event.type === "notice") notices.push(event.text ?? "");
  };
  return { model: (await mergeModels({ recipe, to, onEvent })).model, notices };
}

/** Some rows of a tensor. */
async function rowsOf(folder: string, name: string, from: number, to: number): Promise<number[][]> {
  await using checkpoint = await openCheckpoint(folder);
  const { dtype, shape } = checkpoint.tensors.get(name)!;
  const values = [...toFloat32(await checkpoint.read(name), dtype)];
  const width = shape[1]!;
  return Array.from({ length: to - from }, (_, i) => values.slice((from + i) * width, (from + i + 1) * width));
}

const EMBEDDING = "model.embed_tokens.weight";

describe("a recipe", () => {
  test.each<[object, number, string[], number | undefined]>([
    [{}, 320, [], undefined],
    [{ tokenizer_source: "base" }, 320, [], undefined],
    [{ tokenizer_source: "union" }, 336, ["<a>", "<b>", "<c>"], undefined],
    [{ tokenizer: { source: "union", pad_to_multiple_of: 1 } }, 323, ["<a>", "<b>", "<c>"], undefined],
    [{ tokenizer: { source: "base", pad_to_multiple_of: 128 } }, 384, [], undefined],
  ])("has the tokens that it asks for: %j", async (tokens, rows, added, end) => {
    const { model, notices } = await merged(tokens);
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
    expect(config).toMatchObject({ vocab_size: rows, tie_word_embeddings: false });
    expect(config.eos_token_id).toBe(end);
    await using checkpoint = await openCheckpoint(model);
    checkWeights(openModel(checkpoint, "f32"), checkpoint);
    const tokenizer = JSON.parse(readFileSync(join(model, "tokenizer.json"), "utf8"));
    const behind = tokenizer.added_tokens.filter(({ id }: { id: number }) => id >= 320);
    expect(behind.map(({ content, id }: { content: string; id: number }) => [content, id])).toEqual(
      added.map((content, i) => [content, 320 + i]),
    );
    expect(notices.some((text) => text.includes(added.length > 0 ? "are kept" : "are left out"))).toBe(true);
  });

  test("has those of one of its models, whose ids its config.json has", async () => {
    const { model } = await merged({ tokenizer_source: at("chat") });
    const config = JSON.parse(readFileSync(join(model, "config.json"), "utf8"));
    expect(config).toMatchObject({ vocab_size: 322, eos_token_id: 321 });
    // The base and the other expert lack them: the mean of equal rows is that row.
    const own = await rowsOf(at("chat"), EMBEDDING, 320, 322);
    expect(await rowsOf(model, EMBEDDING, 320, 322)).toEqual(own);
    expect(await rowsOf(model, "lm_head.weight", 320, 322)).toEqual(own);
  });

  test("names none where a model has no tokenizer", async () => {
    await writeTinyModel(at("bare"), { vocabulary: 320 });
    const recipe = {
      merge_method: "linear",
      models: [{ model: at("bare"), parameters: { weight: 1 } }],
      tokenizer_source: "union",
    };
    expect(await refusal(mergeModels({ recipe, to: at("never") }))).toBe(
      `recipe: tokenizer: ${at("bare")} has no tokenizer.json with a tokenizer_config.json; leave it out where all models have one vocabulary, or use models with a tokenizer`,
    );
  });

  test("says that rows have their places where one of the models has no tokenizer", async () => {
    await writeTinyVocabulary(at("words"), {});
    await writeTinyModel(at("wordless"), { vocabulary: 320 });
    const models = ["words", "wordless"].map((name) => ({ model: at(name), parameters: { weight: 1 } }));
    const { notices } = await mergedBy({ merge_method: "linear", base_model: at("words"), models });
    expect(notices).toEqual([
      `rows of embeddings are merged by their places, whatever their tokens are: ${at("wordless")} has no tokenizer.json with a tokenizer_config.json`,
    ]);
  });

  test("is refused where words are others", async () => {
    await ready();
    await writeTinyVocabulary(at("other"), { changes: [["tokenizer.json", "model.vocab.zz", 320]] });
    const recipe = {
      merge_method: "linear",
      models: ["base", "other"].map((name) => ({ model: at(name), parameters: { weight: 1 } })),
    };
    expect(await refusal(mergeModels({ recipe, to: at("never") }))).toBe(
      `${at("other")}: its tokenizer is not that of the base ${at("base")}: token 320: none in the base, 'zz' here; only models of one vocabulary merge`,
    );
  });

  test("names a tokenizer of its own models alone", async () => {
    await ready();
    const recipe = linear({ tokenizer_source: "org/other" });
    expect(await refusal(mergeModels({ recipe, to: at("never") }))).toMatch(
      /^recipe: tokenizer: expected base, union, .*, found org\/other; name a model of the recipe$/,
    );
  });
});
