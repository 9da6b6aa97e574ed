/** Gemma 2: a Gemma with norms behind attention and MLP, soft caps, and a window in every other layer (arXiv:2408.00118). */
import { z } from "zod";
import type { Architecture } from "./architecture.ts";
import { decoderOf, headCount, positionCount, type Decoder } from "./decoder-config.ts";
import { layerTypes, windowsOf } from "./decoder-windows.ts";
import { decoderArchitecture } from "./decoder.ts";
import { gemmaChoices, gemmaFields } from "./gemma.ts";

/** Within what f32 divides and multiplies by. */
const cap = z.number().min(1e-3).max(1e6).nullable();

const fields = gemmaFields.extend({
  num_key_value_heads: headCount.default(4),
  // Files have one for older readers, too, which transformers does not read.
  hidden_act: z.unknown().optional(),
  hidden_activation: z.enum(["gelu", "gelu_new", "gelu_pytorch_tanh"]).default("gelu_pytorch_tanh"),
  query_pre_attn_scalar: z
    .int()
    .positive()
    .max(2 ** 20)
    .default(256),
  sliding_window: positionCount.nullable().default(4096),
  layer_types: layerTypes,
  attn_logit_softcapping: cap.default(50),
  final_logit_softcapping: cap.default(30),
});
type Fields = z.infer<typeof fields>;

function complete(config: Fields, context: z.RefinementCtx): Decoder {
  const choices = {
    ...gemmaChoices(config),
    windows: windowsOf(config, { window: config.sliding_window, slides: (layer) => layer % 2 === 0 }, context),
    hidden_act: config.hidden_activation === "gelu" ? "gelu" : "gelu_pytorch_tanh",
    has_norms_behind: true,
    query_pre_attn_scalar: config.query_pre_attn_scalar,
    attn_logit_softcapping: config.attn_logit_softcapping,
    final_logit_softcapping: config.final_logit_softcapping,
  } as const;
  return decoderOf(config, choices, context);
}

export const gemma2: Architecture = decoderArchitecture("gemma2", fields.transform(complete));
