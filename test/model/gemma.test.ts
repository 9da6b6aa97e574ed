import { describe, expect, test } from "vitest";
import { constant, input } from "../../src/device/expression.ts";
import { UserError } from "../../src/errors.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import type { TokenBatch } from "../../src/model/token-batch.ts";
import { openModel } from "../../src/model/open-model.ts";
import { tinyConfig, tinyModel } from "../tiny-model.ts";

function gemma(config: Readonly<Record<string, unknown>> = {}): Model {
  return tinyModel({ config: { model_type: "gemma", hidden_act: "gelu_pytorch_tanh", ...config } });
}

function gemma2(config: Readonly<Record<string, unknown>> = {}): Model {
  return tinyModel({ layers: 3, config: { model_type: "gemma2", ...config } });
}

describe("Gemma", () => {
  test.each(["gelu", "gelu_new", "gelu_pytorch_tanh"])("means the tanh form by %s", (hidden_act) => {
    expect(gemma({ hidden_act }).identity).toMatchObject({ hidden_act: "gelu_pytorch_tanh" });
    expect(gemma({ hidden_act, hidden_activation: "gelu_pytorch_tanh" }).identity).toEqual(gemma().identity);
  });

  test.each([
    ["f32", Math.fround(Math.sqrt(24))],
    ["bf16", 4.90625],
  ] as const)("multiplies its embedding by what %s makes of the root of the width", (precision, factor) => {
    const config = tinyConfig({ hidden: 24, config: { model_type: "gemma", hidden_act: "gelu" } });
    const [first] = openModel({ folder: "", config }, precision).stages;
    const tokens = constant(new Float32Array(40 * 24), [40, 24]);
    const batch = { tokens: input({ dtype: "i32", shape: [3] }) } as TokenBatch;
    expect(first!.forward({ tokens }, {}, batch)["hidden"]).toMatchObject({ op: "scale", factor });
  });

  test("does not merge with a Llama of the same sizes", () => {
    const fields = { head_dim: 4, tie_word_embeddings: true };
    expect(gemma(fields).identity).not.toEqual(tinyModel({ config: fields }).identity);
  });

  test.each([
    [{ hidden_act: "silu" }, `hidden_act: expected gelu, gelu_new or gelu_pytorch_tanh, found "silu"`],
    [{ hidden_activation: "gelu" }, `hidden_activation: expected gelu_new or gelu_pytorch_tanh, found "gelu"`],
    [{ use_bidirectional_attention: true }, "use_bidirectional_attention: expected false, found true"],
    [{ attention_bias: true }, "attention_bias: expected false, found true"],
    [{ head_dim: null }, "head_dim: expected a number, found nothing"],
  ])("is refused with %j", (fields, sentence) => {
    expect(() => gemma(fields)).toThrow(new UserError(`config.json: ${sentence}; this model cannot be run`));
  });
});

describe("Gemma 2", () => {
  test.each([
    { fields: { sliding_window: 7 }, windows: [7, Infinity, 7] },
    {
      fields: { sliding_window: 7, layer_types: ["full_attention", "full_attention", "sliding_attention"] },
      windows: [Infinity, Infinity, 7],
    },
    { fields: { layer_types: null }, windows: [4096, Infinity, 4096] },
  ])("with $fields has the windows $windows", ({ fields, windows }) => {
    expect(gemma2(fields).identity).toMatchObject({ sliding_window: windows });
  });

  test("has four norms in a layer, of the group of norms and of kinds of their own", () => {
    const norms = allWeights(gemma2()).filter(({ layer, group }) => layer === 1 && group === "norm");
    const expected = ["input", "post_attention", "pre_feedforward", "post_feedforward"].map(
      (kind) => `${kind}_layernorm`,
    );
    expect(norms.map(({ tensor }) => tensor)).toEqual(expected);
    expect(norms.map(({ name }) => name)).toEqual(expected.map((kind) => `model.layers.1.${kind}.weight`));
  });

  test("has an exact gelu where its file says gelu, and no caps where these are null", () => {
    const caps = { attn_logit_softcapping: null, final_logit_softcapping: null };
    expect(gemma2({ hidden_activation: "gelu", ...caps }).identity).toMatchObject({ hidden_act: "gelu", ...caps });
  });

  test.each([
    [{ sliding_window: null }, "sliding_window: expected a number of tokens, found nothing"],
    [{ layer_types: ["full_attention"] }, "layer_types: expected one for each of the 3 layers, found 1"],
    [
      { sliding_window: null, layer_types: ["full_attention", "sliding_attention", "full_attention"] },
      "layer_types: expected full_attention alone where no sliding_window is used, found sliding_attention",
    ],
    [{ query_pre_attn_scalar: 0 }, "query_pre_attn_scalar: expected more than 0, found 0"],
    [{ final_logit_softcapping: 0 }, "final_logit_softcapping: expected at least 0.001, found 0"],
  ])("is refused with %j", (fields, sentence) => {
    expect(() => gemma2(fields)).toThrow(new UserError(`config.json: ${sentence}; this model cannot be run`));
  });
});
