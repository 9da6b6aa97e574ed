/** Llama 1 to 3 and what is built like them, such as TinyLlama. */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { decoderFields, decoderOf, headCount, positionCount, sameWindow, type Decoder } from "./decoder-config.ts";
import { decoderArchitecture } from "./decoder.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(2048),
  num_key_value_heads: headCount.nullish(),
  // Some name a window; their attention has none.
  sliding_window: z.null().catch(null),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
});

function biasesOf({ attention_bias, mlp_bias }: z.infer<typeof fields>): Decoder["biases"] {
  return [
    ...(attention_bias ? (["query", "key", "value", "output"] as const) : []),
    ...(mlp_bias ? (["gate", "up", "down"] as const) : []),
  ];
}

export const llama: Architecture = decoderArchitecture(
  "llama",
  fields.transform((config, context) =>
    decoderOf(config, { windows: sameWindow(config, null), biases: biasesOf(config) }, context),
  ),
);
