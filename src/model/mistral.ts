/** Mistral 7B and Nemo: a Llama whose attention may have a window. */
import type { Architecture } from "./architecture.ts";
import { decoderFields, decoderOf, headCount, positionCount, sameWindow, withoutBiases } from "./decoder-config.ts";
import { decoderArchitecture } from "./decoder.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(131_072),
  num_key_value_heads: headCount.nullable().default(8),
  sliding_window: positionCount.nullable().default(4096),
  ...withoutBiases,
});

export const mistral: Architecture = decoderArchitecture(
  "mistral",
  fields.transform((config, context) =>
    decoderOf(config, { windows: sameWindow(config, config.sliding_window), biases: [] }, context),
  ),
);
