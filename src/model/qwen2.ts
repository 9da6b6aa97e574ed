/** Qwen 2 and 2.5: a Llama with biases on what attention reads, of which some layers may have a window. */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { decoderFields, decoderOf, headCount, positionCount, type Decoder } from "./decoder-config.ts";
import { decoderArchitecture } from "./decoder.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(32_768),
  num_key_value_heads: headCount.nullable().default(32),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: positionCount.nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
});

/** A window that is not used is none. Layers from `max_window_layers` on have it where nothing says which. */
function windowsOf(config: z.infer<typeof fields>, context: z.RefinementCtx): Decoder["windows"] {
  const { num_hidden_layers: layers, layer_types: types, max_window_layers: first } = config;
  const window = config.use_sliding_window ? config.sliding_window : null;
  const refuse = (path: string[], message: string): never => {
    context.addIssue({ code: "custom", path, message });
    return z.NEVER;
  };
  if (types && types.length !== layers)
    return refuse(["layer_types"], `expected one for each of the ${layers} layers, found ${types.length}`);
  if (types?.includes("sliding_attention") && window === null)
    return refuse(
      ["layer_types"],
      "expected full_attention alone where no sliding_window is used, found sliding_attention",
    );
  return Array.from({ length: layers }, (_, layer) => {
    const slides = types ? types[layer] === "sliding_attention" : layer >= first;
    return slides ? (window ?? Infinity) : Infinity;
  });
}

export const qwen2: Architecture = decoderArchitecture(
  "qwen2",
  fields.transform((config, context) =>
    decoderOf(config, { windows: windowsOf(config, context), biases: ["query", "key", "value"] }, context),
  ),
);
