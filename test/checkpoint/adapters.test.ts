import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { toFloat32 } from "../../src/tensor/half.ts";
import { refusal } from "../refusal.ts";
import { type AdapterCase, adapterCases, adapterFolders, type Kind } from "./adapter-folders.ts";
import { editTensors } from "./edit-tensors.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

/** Elements of the second that are other bits than those of the first, and the largest difference relative to the largest value. */
function compare(expected: Float32Array, found: Float32Array): { readonly others: number; readonly largest: number } {
  const differences = expected.map((value, i) => Math.abs(value - found[i]!));
  const scale = Math.max(...expected.map(Math.abs));
  return {
    others: differences.filter((difference) => difference > 0).length,
    largest: Math.max(...differences) / scale,
  };
}

describe.each(Object.entries(adapterCases))("an adapter: %s", (_, adapterCase) => {
  test.each<[Kind, number]>([
    ["f32", 2 ** -22],
    ["bf16", 2 ** -8],
  ])("changes its base as peft's merge_and_unload does: %s", async (kind, tolerance) => {
    const { base, adapter } = await adapterFolders(adapterCase, kind);
    await using full = await Checkpoint.open(base);
    await using checkpoint = await Checkpoint.open(adapter, { base });
    expect([...checkpoint.tensors]).toEqual([...full.tensors]);
    expect(checkpoint.config).toEqual(full.config);
    const merged = adapterCase.merged[kind];
    expect(Object.keys(merged).length).toBeGreaterThan(0);
    let [elements, others] = [0, 0];
    for (const name of full.tensors.keys()) {
      const found = await checkpoint.read(name);
      const expected = merged[name] === undefined ? await full.read(name) : Buffer.from(merged[name], "base64");
      const difference = compare(toFloat32(expected, kind), toFloat32(found, kind));
      expect(difference.largest, name).toBeLessThanOrEqual(merged[name] === undefined ? 0 : tolerance);
      if (merged[name] === undefined) continue;
      elements += found.length / (kind === "f32" ? 4 : 2);
      others += difference.others;
    }
    // A product that is rounded otherwise changes a rounded sum hardly ever.
    if (kind === "bf16") expect(others).toBeLessThanOrEqual(Math.ceil(elements / 100));
  });
});

const { plain, "all biases": biases, "an embedding": embedding, dora } = adapterCases;

async function refusalOf(adapterCase: AdapterCase, options: Parameters<typeof adapterFolders>[2]): Promise<string> {
  const { base, adapter } = await adapterFolders(adapterCase, "f32", options);
  return (await refusal(Checkpoint.open(adapter, { base }))).replace(adapter, "A").replace(adapter, "A");
}

describe("an adapter that is not applied", () => {
  test.each<[string, object, string]>([
    ["peft_type", { peft_type: "LOHA" }, `expected the peft_type "LORA", found 'LOHA'`],
    ["r", { r: 0 }, "r: expected a number above 0, found 0"],
    ["use_rslora", { use_rslora: "true" }, "use_rslora: expected true or false, found 'true'"],
    ["use_dora", { use_dora: 1 }, "use_dora: expected true or false, found 1"],
    ["lora_alpha", { lora_alpha: "8" }, "lora_alpha: expected a number, found '8'"],
    [
      "layer_replication",
      { layer_replication: [[0, 2]] },
      "layer_replication: [ [Array] ] is not supported; merge it in Python with peft",
    ],
    [
      "target_parameters",
      { target_parameters: ["experts"] },
      "target_parameters: [ 'experts' ] is not supported; merge it in Python with peft",
    ],
    [
      "trainable_token_indices",
      { trainable_token_indices: [1] },
      "trainable_token_indices: [ 1 ] is not supported; merge it in Python with peft",
    ],
    ["a field of tomorrow", { use_magic: true }, "use_magic: true is not supported; merge it in Python with peft"],
    [
      "init_lora_weights",
      { init_lora_weights: "pissa_niter_4" },
      "init_lora_weights: 'pissa_niter_4' changes the base before training; save the adapter with path_initial_model_for_weight_conversion",
    ],
    ["patterns", { rank_pattern: [] }, "rank_pattern: expected an object, found []"],
    ["a pattern's number", { alpha_pattern: { q_proj: null } }, "alpha_pattern: q_proj: expected a number, found null"],
    ["a pattern's rank", { rank_pattern: { q_proj: -1 } }, "rank_pattern: q_proj: expected a number above 0, found -1"],
    [
      "a slow pattern",
      { alpha_pattern: { "(a+)+x": 1 } },
      "alpha_pattern: expected the name of a module or a simple pattern, found '(a+)+x'",
    ],
    [
      "repetitions",
      { alpha_pattern: { ".*.*.*.*x": 1 } },
      "alpha_pattern: expected the name of a module or a simple pattern, found '.*.*.*.*x'",
    ],
    [
      "a class that begins with its end, which JavaScript reads otherwise",
      { alpha_pattern: { "[]q]_proj": 1 } },
      "alpha_pattern: expected the name of a module or a simple pattern, found '[]q]_proj'",
    ],
    [
      "an open pattern",
      { alpha_pattern: { "(q_proj": 1 } },
      "alpha_pattern: expected the name of a module or a simple pattern, found '(q_proj'",
    ],
  ])("is refused by the name of the field: %s", async (_, config, sentence) => {
    expect(await refusalOf(plain!, { config })).toBe(`A/adapter_config.json: ${sentence}`);
  });

  test.each<[string, AdapterCase, Parameters<typeof adapterFolders>[2], string]>([
    [
      "another rank",
      plain!,
      { config: { r: 5 } },
      "'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': expected the rank 5 of A/adapter_config.json, found 4",
    ],
    [
      "a layer that it does not mean",
      plain!,
      { config: { layers_to_transform: [1] } },
      "'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': peft leaves it out, since A/adapter_config.json does not mean its module (target_modules, exclude_modules, layers_to_transform); name the module there, or remove its tensors",
    ],
    [
      "a magnitude that the configuration does not tell",
      dora!,
      { config: { use_dora: false } },
      "'model.layers.0.mlp.down_proj': a magnitude, and not use_dora in A/adapter_config.json",
    ],
    [
      "no magnitude",
      plain!,
      { config: { use_dora: true } },
      "'model.layers.0.self_attn.q_proj': no magnitude, though use_dora in A/adapter_config.json",
    ],
    [
      "modules that the base does not have",
      plain!,
      { on: "gpt2" },
      "'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' changes 'model.layers.0.self_attn.q_proj.weight', which the base does not have; it is an adapter of another model",
    ],
    [
      "biases that the base does not have",
      biases!,
      { on: "llama" },
      "'base_model.model.model.layers.0.self_attn.k_proj.bias' changes 'model.layers.0.self_attn.k_proj.bias', which the base does not have; it is an adapter of another model",
    ],
  ])("is refused by the tensor: %s", async (_, adapterCase, options, sentence) => {
    expect(await refusalOf(adapterCase, options)).toBe(`A: the adapter: ${sentence}`);
  });

  test("is refused without a base, and where its weights are not there or not sound", async () => {
    const { base, adapter } = await adapterFolders(plain!, "f32");
    expect(await refusal(Checkpoint.open(adapter))).toContain("is a LoRA adapter; expected a full model here");
    const weights = join(adapter, "adapter_model.safetensors");
    const bytes = readFileSync(weights);
    writeFileSync(weights, bytes.subarray(0, -4));
    expect(await refusal(Checkpoint.open(adapter, { base }))).toContain("was it copied or downloaded in full?");
    writeFileSync(weights, Buffer.concat([bytes.subarray(0, -4), Buffer.from([0, 0, 0x80, 0x7f])]));
    await using checkpoint = await Checkpoint.open(adapter, { base });
    expect(await refusal(checkpoint.weightsDigest())).toContain("holds NaN or infinite numbers");
    rmSync(weights);
    expect(await refusal(Checkpoint.open(adapter, { base }))).toContain("the adapter has no weights; expected");
  });

  const resized =
    "its base had other tokens, such as added ones: save the base and its tokenizer as they were then, after resize_token_embeddings, and name that as the base";
  test.each([
    ["embedding and head that were saved", "lm_head.weight", [13, 8], "[11, 8] of the base, found [13, 8]", resized],
    ["an embedding", "model.embed_tokens.lora_embedding_A", [2, 13], "[11, 8] of the base, found [13, 8]", resized],
    [
      "plain",
      "model.layers.0.self_attn.q_proj.lora_A.weight",
      [4, 9],
      "[8, 8] of the base, found [8, 9]",
      "it is an adapter of another model",
    ],
  ])(
    "is refused where it is another model's, or was trained with other tokens: %s",
    async (name, tensor, shape, shapes, why) => {
      const { base, adapter } = await adapterFolders(adapterCases[name]!, "f32");
      const key = `base_model.model.${tensor}`;
      editTensors(join(adapter, "adapter_model.safetensors"), (tensors) => ({
        // What is beside them has the base's shapes, and is not the reason.
        ...Object.fromEntries(Object.entries(tensors).filter(([other]) => !other.endsWith(".base_layer.weight"))),
        [key]: { dtype: "F32", shape, bytes: new Uint8Array(4 * shape[0]! * shape[1]!) },
      }));
      expect(await refusal(Checkpoint.open(adapter, { base }))).toBe(
        `${adapter}: the adapter: '${key}': expected shape ${shapes}; ${why}`,
      );
    },
  );

  test("is refused where it has no tensors", async () => {
    const { base, adapter } = await adapterFolders(plain!, "f32");
    writeFileSync(join(adapter, "adapter_model.safetensors"), safetensorsBytes({}));
    expect(await refusal(Checkpoint.open(adapter, { base }))).toBe(
      `${adapter}: the adapter: expected tensors, found none; was it saved as a whole?`,
    );
  });

  test.each(["self_attn.q_proj.lora_A", "embed_tokens.base_layer"])(
    "is refused where a tensor is there under two names: %s",
    async (tensor) => {
      const { base, adapter } = await adapterFolders(embedding!, "f32");
      editTensors(join(adapter, "adapter_model.safetensors"), (tensors) => {
        const name = Object.keys(tensors).find((key) => key.includes(`${tensor}.weight`));
        const spelled = name!.replace("base_model.model.", "").replace(".base_layer", ".modules_to_save");
        return { ...tensors, [spelled]: tensors[name!]! };
      });
      expect(await refusal(Checkpoint.open(adapter, { base }))).toMatch(
        /: the adapter: 'base_model\..+' and '[^']+' are two tensors for one place; remove the one that is not meant$/,
      );
    },
  );
});
