/** Mistral 7B and Nemo: a Llama whose attention may have a window, and Ministral, of which some layers have none. */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { decoderFields, decoderOf, headCount, positionCount, withoutBiases, type Decoder } from "./decoder-config.ts";
import { layerTypes, windowsOf } from "./decoder-windows.ts";
import { decoderArchitecture } from "./decoder.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(131_072),
  num_key_value_heads: headCount.nullable().default(8),
  sliding_window: positionCount.nullable().default(4096),
  // A Mistral whose file has them is a Ministral to transformers, which adds nothing else.
  layer_types: layerTypes,
  ...withoutBiases,
});

function complete(config: z.infer<typeof fields>, context: z.RefinementCtx): Decoder {
  const { sliding_window: window } = config;
  const windows = windowsOf(config, { window, slides: () => window !== null }, context);
  return decoderOf(config, { windows, biases: [] }, context);
}

export const mistral: Architecture = decoderArchitecture("mistral", fields.transform(complete));
