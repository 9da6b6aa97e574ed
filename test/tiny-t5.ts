import { openModel } from "../src/model/open-model.ts";
import type { Model } from "../src/model/architecture.ts";

/** The config.json of a T5 of two encoder layers and three decoder layers, whose head is not its embedding. */
export function tinyT5Config(config: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    architectures: ["T5ForConditionalGeneration"],
    model_type: "t5",
    is_encoder_decoder: true,
    vocab_size: 40,
    d_model: 16,
    d_kv: 8,
    d_ff: 24,
    num_layers: 2,
    num_decoder_layers: 3,
    num_heads: 3,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 20,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
    decoder_start_token_id: 0,
    n_positions: 64,
    ...config,
  };
}

/** Such a model without weights. */
export function tinyT5(config: Readonly<Record<string, unknown>> = {}): Model {
  return openModel({ folder: "", config: tinyT5Config(config) }, "f32");
}
