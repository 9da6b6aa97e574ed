import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { tinyModel } from "../tiny-model.ts";

/** Heads of four elements, of which two turn. */
const phi3 = (config: Readonly<Record<string, unknown>> = {}): Model =>
  tinyModel({ config: { model_type: "phi3", partial_rotary_factor: 0.5, ...config } });

const longrope = { type: "longrope", short_factor: [1.5], long_factor: [2] };

describe("Phi-3", () => {
  test("has one weight for what attention reads and one for gate and up", () => {
    const inLayer = allWeights(phi3()).filter(({ layer }) => layer === 0);
    expect(
      inLayer.map(({ name, shape, tensor, group }) => [name.split(".").slice(3).join("."), tensor, group, shape]),
    ).toEqual([
      ["input_layernorm.weight", "input_layernorm", "norm", [16]],
      ["self_attn.qkv_proj.weight", "qkv_proj", "attention", [32, 16]],
      ["self_attn.o_proj.weight", "o_proj", "attention", [16, 16]],
      ["post_attention_layernorm.weight", "post_attention_layernorm", "norm", [16]],
      ["mlp.gate_up_proj.weight", "gate_up_proj", "mlp", [64, 16]],
      ["mlp.down_proj.weight", "down_proj", "mlp", [16, 32]],
    ]);
  });

  test.each(["su", "yarn", "longrope"])("reads scaling of the type %s as longrope", (type) => {
    const scaled = phi3({ original_max_position_embeddings: 16, rope_scaling: { ...longrope, type } });
    const expected = phi3({ original_max_position_embeddings: 16, rope_scaling: longrope });
    expect(scaled.identity).toEqual(expected.identity);
    expect(scaled.spans).toEqual({ short: [0, 16], long: [16, Infinity] });
    expect(Object.values(scaled.constants)).toEqual([Float32Array.of(1.5), Float32Array.of(2)]);
  });

  test("tells no lengths apart where its context is no longer than the original one", () => {
    expect(phi3({ rope_scaling: longrope }).spans).toEqual({ every: [0, Infinity] });
  });

  test.each([
    [
      { rope_scaling: { type: "linear", factor: 2 } },
      "rope_scaling: expected default or longrope in a Phi-3, found linear",
    ],
    [
      { rope_scaling: { ...longrope, short_factor: [1, 2] } },
      "rope_scaling.short_factor: expected one number for each of the 1 pairs, found 2",
    ],
    [
      { partial_rotary_factor: 0.25 },
      "partial_rotary_factor: expected a share of the 4 elements that is even, found 1",
    ],
  ])("refuses %j", (fields, sentence) => {
    const open = (): unknown => phi3(fields);
    expect(open).toThrow(new UserError(`config.json: ${sentence}; this model cannot be run`));
  });
});
