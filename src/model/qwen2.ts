/** Qwen 2 and 2.5: a Llama with biases on what attention reads, of which some layers may have a window. */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { decoderFields, decoderOf, headCount, positionCount, type Decoder } from "./decoder-config.ts";
import { layerTypes, windowsOf } from "./decoder-windows.ts";
import { decoderArchitecture } from "./decoder.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(32_768),
  num_key_value_heads: headCount.nullable().default(32),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: positionCount.nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: layerTypes,
});

/** A window that is not used is none. Layers from `max_window_layers` on have it where nothing says which. */
function complete(config: z.infer<typeof fields>, context: z.RefinementCtx): Decoder {
  const { use_sliding_window, sliding_window, max_window_layers: first } = config;
  const window = use_sliding_window ? sliding_window : null;
  const windows = windowsOf(config, { window, slides: (layer) => window !== null && layer >= first }, context);
  return decoderOf(config, { windows, biases: ["query", "key", "value"] }, context);
}

export const qwen2: Architecture = decoderArchitecture("qwen2", fields.transform(complete));
