import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import { bucketBefore, bucketOfEither } from "../../src/model/t5-distances.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";

interface Distances {
  readonly buckets: number;
  readonly farthest: number;
  readonly both: readonly number[];
  readonly before: readonly number[];
}

/** Of distances from -200 to 200 (test/fixtures/model/make-distances.py). */
const distances = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "model", "distances.json"), "utf8"),
) as Distances[];

describe("buckets of distances", () => {
  test.each(distances)("are those of transformers: $buckets up to $farthest", ({ both, before, ...dealt }) => {
    expect(both.map((_, i) => bucketOfEither(dealt, i - 200))).toEqual(both);
    expect(before.map((_, i) => bucketBefore(dealt, i - 200))).toEqual(before);
  });
});

interface Defaults {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** What transformers takes for what is left out (test/fixtures/model/make-defaults.py). */
const defaults = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "model", "t5-defaults.json"), "utf8"),
) as Defaults[];

const names = (model: Model): string[] => allWeights(model).map(({ name }) => name);

describe("a T5", () => {
  test.each(defaults)("that leaves fields out has those of transformers: $fields", ({ fields, expected }) => {
    const model = openModel({ folder: "", config: { model_type: "t5", ...fields } }, "f32");
    expect(model.identity).toMatchObject(expected);
  });

  test("has the sizes, stacks and start token of its config.json", () => {
    const model = tinyT5();
    expect(model).toMatchObject({ vocabularySize: 40, hiddenSize: 16, maxLength: 64, encoding: { startToken: 0 } });
    expect(model.groups.map(({ name, layers }) => `${name} ${layers}`)).toEqual([
      "encoder.attention 2",
      "encoder.mlp 2",
      "encoder.norm 2",
      "encoder.embedding 2",
      "decoder.attention 3",
      "decoder.mlp 3",
      "decoder.norm 3",
      "decoder.embedding 3",
    ]);
    const shapes = new Map(allWeights(model).map(({ name, shape }) => [name, shape]));
    expect(shapes.get("decoder.block.2.layer.1.EncDecAttention.q.weight")).toEqual([24, 16]);
    expect(shapes.get("decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")).toEqual([8, 3]);
    expect(shapes.size).toBe(1 + 2 * 9 + 1 + 1 + 3 * 14 + 1 + 1 + 1);
  });

  test("begins with its padding where config.json names no start token", () => {
    const ids = [
      { decoder_start_token_id: 3, pad_token_id: 2 },
      { decoder_start_token_id: undefined, pad_token_id: 2 },
      { decoder_start_token_id: undefined },
    ];
    expect(ids.map((config) => tinyT5(config).encoding?.startToken)).toEqual([3, 2, 0]);
  });

  test("has every weight in a group of its stack, inside the layers as the group says", () => {
    for (const config of [{}, { tie_word_embeddings: true }]) {
      const model = tinyT5(config);
      for (const { name, isLayered, layers, stack } of model.groups) {
        const own = allWeights(model).filter(({ group }) => group === name);
        expect(own.length).toBeGreaterThan(0);
        const places = new Set(own.flatMap(({ layer }) => layer ?? []));
        expect(places).toEqual(new Set(isLayered ? Array(layers).keys() : []));
        expect(own.every((weight) => weight.name.startsWith(stack) || name.endsWith("embedding"))).toBe(true);
      }
      expect(new Set(allWeights(model).map(({ group }) => group)).size).toBe(model.groups.length);
    }
  });

  test("has as many decoder layers as encoder layers unless told otherwise, and tables of biases in the first", () => {
    const model = tinyT5({ num_decoder_layers: null });
    const tables = names(model).filter((name) => name.includes("relative_attention_bias"));
    expect(tables).toEqual(
      ["encoder", "decoder"].map((stack) => `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`),
    );
    expect(names(model).filter((name) => name.endsWith("wo.weight"))).toHaveLength(4);
  });

  test.each([
    [{ tie_word_embeddings: false }, true],
    [{ tie_word_embeddings: true }, false],
    [{ tie_word_embeddings: undefined }, false],
    // As version 5 of transformers saves what has a head of its own.
    [{ tie_word_embeddings: true, scale_decoder_outputs: false }, true],
    [{ tie_word_embeddings: false, scale_decoder_outputs: true }, false],
  ])("of %j has a head of its own: %s", (config, hasHead) => {
    const model = tinyT5(config);
    expect(names(model).includes("lm_head.weight")).toBe(hasHead);
    expect(model.aliases.some(({ name }) => name === "lm_head.weight")).toBe(!hasHead);
  });

  test("has the embedding for a head where no file has another, and is another model then", () => {
    const config = tinyT5Config();
    const open = (...tensors: string[]): Model => {
      const headers = new Map(tensors.map((name) => [name, { dtype: "f32", shape: [] } as const]));
      return openModel({ folder: "", config, tensors: headers }, "f32");
    };
    const both = open("shared.weight", "lm_head.weight");
    expect(names(both)).toContain("lm_head.weight");
    for (const lonely of [open(), open("lm_head.weight")]) {
      expect(names(lonely)).not.toContain("lm_head.weight");
      expect(lonely.identity).not.toEqual(both.identity);
    }
  });

  test("may come with the embedding under its other names, and a bias that nothing reads", () => {
    const model = tinyT5();
    const others = [
      "encoder.embed_tokens.weight",
      "decoder.embed_tokens.weight",
      "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
    ];
    const check = (...more: string[]): void => {
      const own = allWeights(model).map(({ name, shape }) => [name, shape] as const);
      const all = [...own, ...more.map((name) => [name, [40, 16]] as const)];
      const tensors = new Map(all.map(([name, shape]) => [name, { dtype: "bf16", shape } as const]));
      checkWeights(model, { folder: "T", config: {}, tensors, others: new Map(), disagreements: new Map() });
    };
    expect(() => check(...others)).not.toThrow();
    const unread = "decoder.block.1.layer.1.EncDecAttention.relative_attention_bias.weight";
    expect(() => check(unread)).toThrow(`T: tensor ${unread} is not part of this architecture; merging would lose it`);
  });

  test.each([
    ["relu", undefined, undefined, "relu", false],
    ["gated-gelu", undefined, undefined, "gelu_new", true],
    ["gelu", undefined, undefined, "gelu", false],
    ["gated-silu", undefined, undefined, "silu", true],
    // What later files say beside it counts.
    ["gated-gelu", "relu", undefined, "relu", true],
    ["relu", "gelu_new", true, "gelu_new", true],
  ])("of %s, %s, %s goes through %s, gated: %s", (proj, act, isGated, dense_act_fn, is_gated_act) => {
    const fields = { feed_forward_proj: proj, dense_act_fn: act, is_gated_act: isGated };
    expect(tinyT5(fields).identity).toMatchObject({ dense_act_fn, is_gated_act });
  });

  test("reads as much at once as lm_eval takes from config.json, which is no part of what it computes", () => {
    expect(tinyT5({ n_positions: undefined }).maxLength).toBe(512);
    expect(tinyT5({ n_positions: undefined, max_position_embeddings: 99 }).maxLength).toBe(99);
    expect(tinyT5({ n_positions: 9 }).identity).toEqual(tinyT5().identity);
    expect(tinyT5({ num_heads: 2 }).identity).not.toEqual(tinyT5().identity);
  });

  test.each([
    [{ decoder_start_token_id: 40 }, "decoder_start_token_id: expected one of the 40 embeddings, from 0 on, found 40"],
    [{ is_encoder_decoder: false }, "is_encoder_decoder: expected true, found false"],
    [{ relative_attention_num_buckets: 3 }, "relative_attention_num_buckets: expected at least 4, found 3"],
    [
      { relative_attention_max_distance: 4 },
      "relative_attention_max_distance: expected more than half of the 8 buckets, found 4",
    ],
    [{ feed_forward_proj: "gated-relu-gelu" }, "feed_forward_proj: expected relu, gated-relu, gelu"],
    [
      { dense_act_fn: "tanh" },
      'dense_act_fn: expected relu, gelu, gelu_new, gelu_pytorch_tanh, silu or swish, found "tanh"',
    ],
    [{ d_kv: undefined }, 'missing key "d_kv"'],
    [{ num_attention_heads: 4 }, "num_attention_heads: expected 3, as num_heads has it, found 4"],
    [{ num_layers: 0 }, "num_layers: expected more than 0, found 0"],
  ])("of %j is refused", (config, message) => {
    expect(() => tinyT5(config)).toThrow(message);
  });
});
