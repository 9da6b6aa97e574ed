import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { openModel } from "../../src/model/open-model.ts";
import { tinyConfig } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

const folder = "models/tiny";

/** What transformers reads of a config.json of each family (test/fixtures/model/make-config-fields.py). */
const fields = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "model", "config-fields.json"), "utf8"),
) as Readonly<Record<string, readonly string[]>>;

/** Fields with which log-likelihoods stay as they are, whatever they say. */
const indifferent = [
  // To training.
  ["attention_dropout", "dropout_rate", "embd_pdrop", "resid_pdrop", "initializer_range", "initializer_factor"],
  // To a head for language.
  ["classifier_dropout", "id2label", "label2id", "num_labels", "problem_type"],
  // To how transformers computes, and to what it returns.
  ["architectures", "attn_implementation", "experts_implementation", "chunk_size_feed_forward", "dtype", "torch_dtype"],
  ["name_or_path", "output_attentions", "output_hidden_states", "return_dict", "transformers_version"],
  // To texts, of which generate/ reads them.
  ["bos_token_id", "eos_token_id", "pad_token_id"],
  // To its caches, which texts alone go through.
  ["use_cache", "attention_chunk_size", "kv_sharing_modes", "number_of_conv_states"],
  // To nobody: what a file says of them is not asked.
  ["default_theta", "allow_is_causal_skip"],
].flat();

/** Those that other families read, and a family does not, but for its caches. */
const ofOthers: Readonly<Record<string, readonly string[]>> = {
  llama: ["layer_types", "sliding_window", "pretraining_tp"],
  gemma: ["layer_types", "sliding_window"],
  phi3: ["layer_types"],
  t5: [
    "is_decoder",
    "layer_types",
    "sliding_window",
    "partial_rotary_factor",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
  ],
};

function configOf(modelType: string): Readonly<Record<string, unknown>> {
  return modelType === "t5" ? tinyT5Config() : tinyConfig({ config: { model_type: modelType, hidden_act: undefined } });
}

/** Whether a config.json is refused for a value of the field that no field has. */
function isRead(modelType: string, field: string): boolean {
  try {
    openModel({ folder, config: { ...configOf(modelType), [field]: [{ odd: true }] } }, "f32");
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return true;
  }
}

describe.each(modelTypes)("a config.json of a %s", (modelType) => {
  test("has no field that transformers reads and that is passed over here", () => {
    expect(() => openModel({ folder, config: configOf(modelType) }, "f32")).not.toThrow();
    const passedOver = fields[modelType]!.filter((field) => !isRead(modelType, field));
    const known = new Set([...indifferent, ...(ofOthers[modelType] ?? [])]);
    expect(passedOver.filter((field) => !known.has(field))).toEqual([]);
  });

  test.each([
    ["is_causal", false, "expected true, found false"],
    ["is_causal", null, "expected true, found nothing"],
    ["per_layer_config", { 0: { num_attention_heads: 1 } }, "expected null, found a mapping"],
  ])("is refused with %s %j, by the name of the field", (field, value, sentence) => {
    const open = (): unknown => openModel({ folder, config: { ...configOf(modelType), [field]: value } }, "f32");
    expect(open).toThrow(new UserError(`models/tiny/config.json: ${field}: ${sentence}; this model cannot be run`));
  });
});
