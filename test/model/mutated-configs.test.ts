import { expect, test } from "vitest";
import { parseJson } from "../../src/files/json.ts";
import { isJsonObject } from "../../src/files/json-object.ts";
import { UserError } from "../../src/errors.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import { elementCount } from "../../src/tensor/dtype.ts";
import { mutatedBytes, mutatedJson, mutationCount, meetMutations } from "../mutations.ts";
import { tinyConfig } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

const COUNT = mutationCount(3000);

const scalings = [
  { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 },
  { type: "linear", factor: 2 },
  { type: "dynamic", factor: 2 },
  { type: "yarn", factor: 2, mscale: 0.7, mscale_all_dim: 0.4, beta_fast: 8, truncate: false },
  { type: "longrope", short_factor: [1, 2], long_factor: [2, 3], original_max_position_embeddings: 16 },
];
const configs = [
  tinyConfig(),
  tinyConfig({ tied: true, config: { model_type: "mistral", sliding_window: 7, head_dim: 4 } }),
  tinyConfig({
    config: {
      model_type: "qwen2",
      use_sliding_window: true,
      sliding_window: 7,
      layer_types: ["full_attention", "sliding_attention"],
    },
  }),
  tinyConfig({ config: { model_type: "gemma", hidden_act: "gelu", head_dim: 6 } }),
  tinyConfig({
    tied: true,
    config: { model_type: "gemma2", sliding_window: 7, query_pre_attn_scalar: 9, attn_logit_softcapping: 50 },
  }),
  tinyConfig({
    config: {
      model_type: "phi3",
      partial_rotary_factor: 0.5,
      original_max_position_embeddings: 16,
      rope_scaling: { type: "su", short_factor: [1], long_factor: [2] },
    },
  }),
  tinyConfig({ config: tinyT5Config({ decoder_start_token_id: 3, num_decoder_layers: null }) }),
  tinyConfig({
    config: tinyT5Config({ tie_word_embeddings: true, scale_decoder_outputs: false, dense_act_fn: "relu" }),
  }),
  ...scalings.map((rope_scaling) => tinyConfig({ config: { rope_scaling } })),
];

test(`${COUNT} mutated config.json are models of the checkpoint or refused in one sentence`, async () => {
  const tally = await meetMutations("configs", COUNT, (random) => {
    const config = configs[random.integer(configs.length)]!;
    const weights = allWeights(openModel({ folder: "x", config }, "f32"));
    const tensors = new Map(weights.map(({ name, shape }) => [name, { dtype: "bf16", shape } as const]));
    let text = mutatedJson(config, random);
    if (random.integer(4) === 0) text = Buffer.from(mutatedBytes(Buffer.from(text), random)).toString("utf8");
    const changed = parseJson(text, "x/config.json", "a JSON object");
    if (!isJsonObject(changed)) throw new UserError("x/config.json: expected a JSON object");
    const model = openModel({ folder: "x", config: changed }, "f32");
    checkWeights(model, { folder: "x", config: changed, tensors, others: new Map(), disagreements: new Map() });
    const elements = allWeights(model).map(({ shape }) => elementCount(shape));
    expect(elements.every((count) => Number.isSafeInteger(count) && count > 0)).toBe(true);
    const periods = Object.values(model.constants).flatMap((values) => [...values]);
    expect(periods.every((period) => period > 0 && period < Infinity)).toBe(true);
    expect(model.maxLength).toBeGreaterThan(0);
    for (const window of Object.values(model.windows)) expect(window).toBeGreaterThan(0);
  });
  expect(tally.refused).toBeGreaterThan(COUNT / 3);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
  expect(tally.slowestMs).toBeLessThan(10_000);
}, 3_600_000);
