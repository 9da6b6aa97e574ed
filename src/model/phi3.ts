/** Phi-3 and 3.5: joined weights, heads of which a part may turn, longrope, and a window in every layer or none. */
import { z } from "zod";
import { isJsonObject } from "../files/json-object.ts";
import type { Architecture } from "./architecture.ts";
import {
  decoderFields,
  decoderOf,
  headCount,
  positionCount,
  sameWindow,
  withoutBiases,
  type Decoder,
} from "./decoder-config.ts";
import { decoderArchitecture } from "./decoder.ts";
import { rotaryOptions } from "./rotary.ts";

const fields = decoderFields.extend({
  max_position_embeddings: positionCount.default(4096),
  original_max_position_embeddings: positionCount.default(4096),
  num_key_value_heads: headCount.nullish(),
  rms_norm_eps: z.number().nonnegative().max(1).default(1e-5),
  sliding_window: positionCount.nullish(),
  ...withoutBiases,
});

function complete(config: z.infer<typeof fields>, context: z.RefinementCtx): Decoder {
  const { rope_type: type } = rotaryOptions(config);
  if (type !== "default" && type !== "longrope") {
    const path = [config.rope_scaling ? "rope_scaling" : "rope_parameters"];
    context.addIssue({ code: "custom", path, message: `expected default or longrope in a Phi-3, found ${type}` });
    return z.NEVER;
  }
  const windows = sameWindow(config, config.sliding_window ?? null);
  const choices = { windows, biases: [], has_joined_products: true, turnsPart: true, rereadsGrownTexts: true };
  return decoderOf(config, choices, context);
}

/** The first files have other names for longrope: su, and yarn, which is another scaling elsewhere. */
function withLongrope(config: unknown): unknown {
  if (!isJsonObject(config)) return config;
  const renamed = ["rope_scaling", "rope_parameters"].flatMap((field) => {
    const scaling = config[field];
    if (!isJsonObject(scaling)) return [];
    const type = scaling["rope_type"] ?? scaling["type"];
    return type === "su" || type === "yarn" ? [[field, { ...scaling, rope_type: "longrope", type: "longrope" }]] : [];
  });
  return { ...config, ...Object.fromEntries(renamed) };
}

export const phi3: Architecture = decoderArchitecture("phi3", z.preprocess(withLongrope, fields.transform(complete)));
