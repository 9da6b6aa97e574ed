import { describe, expect, test } from "vitest";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { tinyModel } from "../tiny-model.ts";

const modelWith = (config: Readonly<Record<string, unknown>>): Model => tinyModel({ config });

describe("the weights of a Llama", () => {
  test.each([
    { tied: false, last: "lm_head.weight", count: 21 },
    { tied: true, last: "model.norm.weight", count: 20 },
  ])("are listed once, in the order of the forward pass: tied $tied", ({ tied, last, count }) => {
    const names = allWeights(modelWith({ tie_word_embeddings: tied })).map(({ name }) => name);
    expect([names[0], names.at(-1), names.length, new Set(names).size]).toEqual([
      "model.embed_tokens.weight",
      last,
      count,
      count,
    ]);
  });

  test("belong to a layer and a group", () => {
    const groups = modelWith({}).stages.map(({ weights }) =>
      Object.values(weights).map(({ layer, group }) => `${layer ?? "-"} ${group}`),
    );
    const layer = ["norm", "attention", "attention", "attention", "attention", "norm", "mlp", "mlp", "mlp"];
    const layers = [0, 1].map((index) => layer.map((group) => `${index} ${group}`));
    expect(groups).toEqual([["- embedding"], ...layers, ["- norm", "- embedding"]]);
  });

  test.each([true, false])("have the kinds that their names end with, tied: %s", (tied) => {
    const model = modelWith({ tie_word_embeddings: tied });
    const inLayer = "input_layernorm q_proj k_proj v_proj o_proj post_attention_layernorm gate_proj up_proj down_proj";
    const kinds = ["embed_tokens", ...inLayer.split(" "), "norm", ...(tied ? [] : ["lm_head"])];
    expect([...new Set(allWeights(model).map(({ tensor }) => tensor))]).toEqual(kinds);
    for (const { name, tensor } of allWeights(model)) expect(name.split(".").slice(-2)).toEqual([tensor, "weight"]);
  });

  test("have biases behind them where config.json says so, of the same group and a kind of their own", () => {
    const biases = allWeights(modelWith({ attention_bias: true, mlp_bias: true })).filter(({ name }) =>
      name.endsWith(".bias"),
    );
    const places = biases.map(
      ({ name, tensor, group, layer, shape }) => `${name} ${tensor} ${group} ${layer} ${shape.join()}`,
    );
    expect(places.slice(0, 7)).toEqual([
      "model.layers.0.self_attn.q_proj.bias q_proj.bias attention 0 16",
      "model.layers.0.self_attn.k_proj.bias k_proj.bias attention 0 8",
      "model.layers.0.self_attn.v_proj.bias v_proj.bias attention 0 8",
      "model.layers.0.self_attn.o_proj.bias o_proj.bias attention 0 16",
      "model.layers.0.mlp.gate_proj.bias gate_proj.bias mlp 0 32",
      "model.layers.0.mlp.up_proj.bias up_proj.bias mlp 0 32",
      "model.layers.0.mlp.down_proj.bias down_proj.bias mlp 0 16",
    ]);
    expect(biases).toHaveLength(14);
  });

  test("are in groups of the model, inside the layers as it says", () => {
    const model = modelWith({});
    for (const { name, isLayered, layers } of model.groups) {
      const own = allWeights(model).filter(({ group }) => group === name);
      const found = own.flatMap(({ layer }) => layer ?? []);
      expect(new Set(found)).toEqual(new Set(isLayered ? Array(layers).keys() : []));
    }
    expect(new Set(allWeights(model).map(({ group }) => group))).toEqual(new Set(model.groups.map(({ name }) => name)));
  });
});
