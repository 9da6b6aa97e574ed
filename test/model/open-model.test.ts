import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import type { Dtype, Shape } from "../../src/tensor/dtype.ts";
import { tinyConfig } from "../tiny-model.ts";

interface Defaults {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** Fields of config.json, and what transformers takes for some that are not there. */
const defaults: readonly Defaults[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "model", "defaults.json"), "utf8"),
);

const folder = "models/tiny";
const file = join(folder, "config.json");

function withFields(config: Readonly<Record<string, unknown>>): ReturnType<typeof openModel> {
  return openModel({ folder, config: tinyConfig({ config }) }, "f32");
}

type Tensors = Map<string, { dtype: Dtype; shape: Shape }>;

function tensorsOf(tied: boolean): Tensors {
  const weights = allWeights(withFields({ tie_word_embeddings: tied }));
  return new Map(weights.map(({ name, shape }) => [name, { dtype: "bf16", shape }]));
}

type Change = (tensors: Tensors, others: Map<string, string>, disagreements: Map<string, string>) => void;

function check(change: Change, tied = false): void {
  const tensors = tensorsOf(tied);
  const [others, disagreements] = [new Map<string, string>(), new Map<string, string>()];
  change(tensors, others, disagreements);
  checkWeights(withFields({ tie_word_embeddings: tied }), { folder, config: {}, tensors, others, disagreements });
}

describe("openModel", () => {
  test("builds a Llama of the sizes in config.json", () => {
    const model = withFields({ max_position_embeddings: 99 });
    expect(model).toMatchObject({ vocabularySize: 40, maxLength: 99, windows: { causal: Infinity } });
    expect(model.groups.map(({ layers }) => layers)).toEqual([2, 2, 2, 2]);
    expect(model.constants["periods every"]).toHaveLength(2);
  });

  test.each([
    ["hidden_act", "gelu", `hidden_act: expected silu, found "gelu"`],
    ["attention_bias", "yes", `attention_bias: expected true or false, found "yes"`],
    ["mlp_bias", 1, "mlp_bias: expected true or false, found 1"],
    ["tie_word_embeddings", "yes", `tie_word_embeddings: expected true or false, found "yes"`],
    ["vocab_size", undefined, `missing key "vocab_size": expected a number`],
    ["vocab_size", 0, "vocab_size: expected more than 0, found 0"],
    ["hidden_size", 16.5, "hidden_size: expected a whole number, found 16.5"],
    ["hidden_act", null, "hidden_act: expected silu, found nothing"],
    ["rms_norm_eps", null, "rms_norm_eps: expected a number, found nothing"],
    ["max_position_embeddings", null, "max_position_embeddings: expected a number, found nothing"],
    ["rope_theta", null, "rope_theta: expected a number, found nothing"],
    [
      "rope_scaling",
      { rope_type: null, factor: 2 },
      "rope_scaling.rope_type: expected default, linear, dynamic, llama3, yarn or longrope, found nothing",
    ],
    ["num_key_value_heads", 3, "num_key_value_heads: expected a divisor of the 4 heads, found 3"],
    ["head_dim", 5, "head_dim: expected an even number of elements, found 5"],
    ["hidden_size", 3, "head_dim: expected an even number of elements, found 0"],
    ["rope_theta", 0, "rope_theta: expected more than 0, found 0"],
    ["vocab_size", 1e12, "vocab_size: expected at most 16777216, found 1000000000000"],
    ["hidden_size", -16, "hidden_size: expected more than 0, found -16"],
    ["hidden_size", 1e308, "hidden_size: expected at most 9007199254740991, found 1e+308"],
    ["intermediate_size", 1e9, "intermediate_size: expected at most 4194304, found 1000000000"],
    ["num_hidden_layers", 1e9, "num_hidden_layers: expected at most 4096, found 1000000000"],
    ["num_attention_heads", 1e9, "num_attention_heads: expected at most 16384, found 1000000000"],
    ["num_key_value_heads", 1e9, "num_key_value_heads: expected at most 16384, found 1000000000"],
    ["head_dim", 1e9, "head_dim: expected at most 65536, found 1000000000"],
    ["head_dim", "NaN", `head_dim: expected a number, found "NaN"`],
    [
      "max_position_embeddings",
      1e15,
      "max_position_embeddings: expected at most 1099511627776, found 1000000000000000",
    ],
    ["rms_norm_eps", 1e308, "rms_norm_eps: expected at most 1, found 1e+308"],
    ["rope_theta", 1e300, "rope_theta: expected periods that are numbers above 0 in f32, found Infinity"],
    ["rope_theta", 1e-320, "rope_theta: expected periods that are numbers above 0 in f32, found 0"],
    [
      "rope_scaling",
      { rope_type: "linear", factor: 1e308 },
      "rope_theta: expected periods that are numbers above 0 in f32, found Infinity",
    ],
    [
      "rope_scaling",
      { type: "su", factor: 4 },
      `rope_scaling.type: expected default, linear, dynamic, llama3, yarn or longrope, found "su"`,
    ],
    [
      "rope_parameters",
      { rope_type: "proportional" },
      `rope_parameters.rope_type: expected default, linear, dynamic, llama3, yarn or longrope, found "proportional"`,
    ],
    ["rope_parameters", { rope_type: "yarn" }, `rope_parameters: missing key "factor": expected a number`],
    [
      "rope_scaling",
      { type: "longrope", short_factor: [1, 1], long_factor: [2] },
      "rope_scaling.long_factor: expected one number for each of the 2 pairs, found 1",
    ],
    [
      "partial_rotary_factor",
      0.5,
      "partial_rotary_factor: expected 1, since whole heads turn in this family, found 0.5",
    ],
    ["rope_scaling", { rope_type: "linear" }, `rope_scaling: missing key "factor": expected a number`],
    [
      "rope_parameters",
      { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: -4, original_max_position_embeddings: 8 },
      "rope_parameters.high_freq_factor: expected more than 0, found -4",
    ],
  ])("refuses %s %j", (field, value, sentence) => {
    const open = (): unknown => withFields({ [field]: value });
    expect(open).toThrow(UserError);
    expect(open).toThrow(new UserError(`${file}: ${sentence}; this model cannot be run`));
  });

  test.each(["attention_bias", "mlp_bias"])("refuses a Mistral with %s, of which transformers has none", (field) => {
    const open = (): unknown => withFields({ model_type: "mistral", [field]: true });
    expect(open).toThrow(new UserError(`${file}: ${field}: expected false, found true; this model cannot be run`));
  });

  test.each([
    ["qwen3", `"qwen3"`],
    [undefined, "undefined"],
    [["llama"], `["llama"]`],
  ])("refuses model_type %j", (modelType, shown) => {
    expect(() => withFields({ model_type: modelType })).toThrow(
      new UserError(`${file}: expected model_type to be one of ${modelTypes.join(", ")}, found ${shown}`),
    );
  });

  test.each([
    { model_type: "llama", fields: {}, window: Infinity },
    { model_type: "llama", fields: { sliding_window: 7 }, window: Infinity },
    { model_type: "mistral", fields: {}, window: 4096 },
    { model_type: "mistral", fields: { sliding_window: null }, window: Infinity },
    { model_type: "mistral", fields: { sliding_window: 7 }, window: 7 },
  ])("$model_type with $fields sees $window tokens, as in transformers", ({ model_type, fields, window }) => {
    expect(Object.values(withFields({ model_type, ...fields }).windows)).toEqual([window]);
  });

  test.each([
    { model_type: "llama", kvHeads: 16 },
    { model_type: "mistral", kvHeads: 8 },
  ])("$model_type of 16 heads has $kvHeads key heads unless config.json says otherwise", ({ model_type, kvHeads }) => {
    const heads = { num_attention_heads: 16, num_key_value_heads: undefined, head_dim: 4 };
    expect(withFields({ model_type, ...heads }).identity["num_key_value_heads"]).toBe(kvHeads);
  });

  test.each(defaults)("$fields.model_type: what is left out is as in transformers", ({ fields, expected }) => {
    const { max_position_embeddings: maxLength, rope_theta, ...identity } = expected;
    const model = openModel({ folder, config: fields }, "f32");
    expect(model.identity).toMatchObject(identity);
    expect(model.maxLength).toBe(maxLength);
    expect(model.constants).toEqual(openModel({ folder, config: { ...fields, rope_theta } }, "f32").constants);
  });

  test.each([
    { tie_word_embeddings: null },
    { attention_bias: null, mlp_bias: null, head_dim: null, rope_scaling: null, rope_parameters: null },
    { rope_theta: null, rope_parameters: { rope_type: "default", rope_theta: 500 } },
  ])("%j is as if nothing were there", (fields) => {
    expect(withFields(fields).identity).toEqual(withFields({}).identity);
  });

  test("a type of scaling counts beside a rope_type that is null", () => {
    const scaled = (fields: object): unknown => withFields({ rope_scaling: { factor: 2, ...fields } }).identity;
    expect(scaled({ rope_type: null, type: "linear" })).toEqual(scaled({ rope_type: "linear" }));
    expect(scaled({ rope_type: "linear" })).not.toEqual(withFields({}).identity);
  });

  test.each([
    ["vocab_size", 41],
    ["hidden_size", 24],
    ["intermediate_size", 24],
    ["num_hidden_layers", 3],
    ["num_attention_heads", 2],
    ["num_key_value_heads", 4],
    ["head_dim", 8],
    ["rms_norm_eps", 1e-6],
    ["tie_word_embeddings", true],
    ["attention_bias", true],
    ["mlp_bias", true],
    ["rope_theta", 10_000],
  ])("has another identity with another %s", (field, value) => {
    expect(withFields({ [field]: value }).identity).not.toEqual(withFields({}).identity);
  });

  test("has one identity for other contexts and other spellings of the same", () => {
    const spelled = { rope_theta: undefined, rope_parameters: { rope_type: "default", rope_theta: 500 } };
    const other = withFields({
      max_position_embeddings: 7,
      head_dim: 4,
      sliding_window: 3,
      dtype: "float32",
      ...spelled,
    });
    expect(other.identity).toEqual(withFields({}).identity);
  });
});

const withHead =
  (...shape: number[]): Change =>
  (tensors) =>
    tensors.set("lm_head.weight", { dtype: "f32", shape });

describe("checkWeights", () => {
  test.each([
    { what: "exactly the model's weights", tied: false, extra: [] },
    { what: "buffers of rotary frequencies", tied: false, extra: ["model.layers.1.self_attn.rotary_emb.inv_freq"] },
  ])("accepts $what", ({ tied, extra }) => {
    const add = (tensors: Tensors): void => extra.forEach((name) => tensors.set(name, { dtype: "f32", shape: [2] }));
    expect(() => check(add, tied)).not.toThrow();
  });

  test("accepts the head of a tied model, of the shape of the embedding", () => {
    expect(() => check(withHead(40, 16), true)).not.toThrow();
    expect(() => check(withHead(41, 16), true)).toThrow(
      new UserError(`${folder}: tensor lm_head.weight: expected shape [40, 16] from config.json, found [41, 16]`),
    );
    expect(() => check((_, others) => others.set("lm_head.weight", "U8"), true)).toThrow(
      new UserError(`${folder}: tensor lm_head.weight: expected the dtype F32, F16 or BF16, found U8`),
    );
    // An index may list a head that was not saved.
    expect(() =>
      check((_t, _o, disagreements) => disagreements.set("lm_head.weight", "x: lacking"), true),
    ).not.toThrow();
  });

  test("accepts buffers of whole numbers that no forward pass reads", () => {
    check((_, others) => {
      for (const buffer of ["rotary_emb.inv_freq", "masked_bias"]) {
        others.set(`model.layers.0.self_attn.${buffer}`, "I64");
      }
      others.set("model.position_ids", "I64");
      others.set("model.num_batches_tracked", "I64");
      others.set("model.layers.0.self_attn.bias", "BOOL");
      others.set("model.layers.1.mlp.up_proj.weight.absmax", "U8");
    });
  });

  test("does not mind what is said differently of buffers", () => {
    check((tensors, others, disagreements) => {
      tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", { dtype: "f32", shape: [2] });
      others.set("model.step", "I64");
      disagreements.set("model.layers.0.self_attn.rotary_emb.inv_freq", "x: unlisted");
      disagreements.set("model.layers.9.self_attn.rotary_emb.inv_freq", "x: lacking");
      disagreements.set("model.step", "x: unlisted");
    });
  });

  test.each(["model.norm.weight", "model.layers.9.mlp.up_proj.weight"])(
    "minds what is said differently of %s",
    (name) => {
      const differ: Change = (_tensors, _others, disagreements) =>
        disagreements.set(name, `x.json: weight_map puts ${name} elsewhere`);
      expect(() => check(differ)).toThrow(new UserError(`${folder}/x.json: weight_map puts ${name} elsewhere`));
    },
  );

  test.each<[string, Change, string]>([
    [
      "a weight of whole numbers",
      (tensors, others) => {
        tensors.delete("model.layers.1.mlp.up_proj.weight");
        others.set("model.layers.1.mlp.up_proj.weight", "U8");
      },
      "tensor model.layers.1.mlp.up_proj.weight: expected the dtype F32, F16 or BF16, found U8",
    ],
    [
      "an unknown tensor of another type of numbers",
      (_, others) => others.set("model.layers.1.mlp.up_proj.scale", "F8_E4M3"),
      "tensor model.layers.1.mlp.up_proj.scale is not part of this architecture; merging would lose it",
    ],
    [
      "a missing tensor",
      (tensors) => tensors.delete("model.layers.1.mlp.up_proj.weight"),
      "tensor model.layers.1.mlp.up_proj.weight is missing; expected it from config.json",
    ],
    [
      "an untied model without a head",
      (tensors) => tensors.delete("lm_head.weight"),
      "tensor lm_head.weight is missing; expected it from config.json",
    ],
    [
      "another shape",
      (tensors) => tensors.set("model.layers.0.self_attn.k_proj.weight", { dtype: "bf16", shape: [16, 16] }),
      "tensor model.layers.0.self_attn.k_proj.weight: expected shape [8, 16] from config.json, found [16, 16]",
    ],
    [
      "an unknown tensor",
      (tensors) => tensors.set("model.layers.0.self_attn.q_proj.bias", { dtype: "bf16", shape: [16] }),
      "tensor model.layers.0.self_attn.q_proj.bias is not part of this architecture; merging would lose it",
    ],
    [
      "a layer too many",
      (tensors) => tensors.set("model.layers.2.mlp.up_proj.weight", { dtype: "bf16", shape: [32, 16] }),
      "tensor model.layers.2.mlp.up_proj.weight is not part of this architecture; merging would lose it",
    ],
  ])("refuses %s", (_, change, sentence) => {
    expect(() => check(change)).toThrow(new UserError(`${folder}: ${sentence}`));
  });
});
