/** Gemma 1: a scaled embedding, which is the head too, norms that multiply by 1 + weight, and a gate through gelu. */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import {
  decoderFields,
  decoderOf,
  headCount,
  headWidth,
  positionCount,
  sameWindow,
  withoutBiases,
  type Decoder,
} from "./decoder-config.ts";
import { decoderArchitecture } from "./decoder.ts";

/** What all Gemmas read alike. */
export const gemmaFields = decoderFields.extend({
  max_position_embeddings: positionCount.default(8192),
  head_dim: headWidth.default(256),
  tie_word_embeddings: z.boolean().default(true),
  use_bidirectional_attention: z.literal(false).nullish(),
  ...withoutBiases,
});

/** What all Gemmas have of their own. */
export function gemmaChoices({
  hidden_size,
}: Pick<Decoder, "hidden_size">): Pick<Decoder, "embedding_factor" | "norm_offset" | "biases"> {
  return { embedding_factor: Math.sqrt(hidden_size), norm_offset: 1, biases: [] };
}

const fields = gemmaFields.extend({
  num_key_value_heads: headCount.default(16),
  // The first files say gelu and mean its tanh form, and so transformers reads them.
  hidden_act: z.enum(["gelu", "gelu_new", "gelu_pytorch_tanh"]).default("gelu_pytorch_tanh"),
  // Only transformers 4 reads it, as what it says.
  hidden_activation: z.enum(["gelu_new", "gelu_pytorch_tanh"]).nullish(),
});

export const gemma: Architecture = decoderArchitecture(
  "gemma",
  fields.transform((config, context) =>
    decoderOf(
      config,
      { ...gemmaChoices(config), windows: sameWindow(config, null), hidden_act: "gelu_pytorch_tanh" },
      context,
    ),
  ),
);
