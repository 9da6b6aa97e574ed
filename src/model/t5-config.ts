/** What is read of the config.json of a T5. As in transformers, later files say more than `feed_forward_proj` does. */
import { z } from "zod";
import { plainFields } from "./plain-fields.ts";

const activations = ["relu", "gelu", "gelu_new", "gelu_pytorch_tanh", "silu", "swish"] as const;

/** An encoder-decoder as data, by the names of config.json. All of it but the window decides what models merge. */
export interface T5 {
  readonly vocab_size: number;
  readonly d_model: number;
  /** Elements of a head. */
  readonly d_kv: number;
  readonly d_ff: number;
  readonly num_layers: number;
  readonly num_decoder_layers: number;
  readonly num_heads: number;
  readonly relative_attention_num_buckets: number;
  readonly relative_attention_max_distance: number;
  readonly layer_norm_epsilon: number;
  readonly dense_act_fn: (typeof activations)[number];
  /** Whether the MLP multiplies what goes through the activation with another product. */
  readonly is_gated_act: boolean;
  /** Whether what the head reads is multiplied by d_model^-0.5, as in models whose head is the embedding. */
  readonly scale_decoder_outputs: boolean;
  readonly decoder_start_token_id: number;
  /** Positions are relative and have no end; this is what the model was trained on, to which lm_eval cuts. */
  readonly n_positions: number;
}

const size = (most: number): z.ZodInt => z.int().positive().max(most);
const layerCount = size(2 ** 12);
const window = size(2 ** 40).nullish();

/** What transformers calls fields of every model, by their names here; a file that has both must mean the same. */
const otherNames = {
  hidden_size: "d_model",
  num_attention_heads: "num_heads",
  num_hidden_layers: "num_layers",
  head_dim: "d_kv",
} as const;

/** Sizes are bounded far above every model, so that what follows from them is small before weights are looked at. */
const fields = z.looseObject({
  is_encoder_decoder: z.literal(true).default(true),
  vocab_size: size(2 ** 24),
  d_model: size(2 ** 20),
  d_kv: size(2 ** 16),
  d_ff: size(2 ** 22),
  num_layers: layerCount,
  num_decoder_layers: layerCount.nullish(),
  num_heads: size(2 ** 14),
  // The encoder has half of them for each direction, half of which are single distances.
  relative_attention_num_buckets: size(2 ** 16)
    .min(4)
    .default(32),
  relative_attention_max_distance: size(2 ** 30).default(128),
  layer_norm_epsilon: z.number().nonnegative().max(1).default(1e-6),
  feed_forward_proj: z.enum(activations.flatMap((name) => [name, `gated-${name}`])).default("relu"),
  dense_act_fn: z.enum(activations).optional(),
  is_gated_act: z.boolean().optional(),
  tie_word_embeddings: z.boolean().nullish(),
  scale_decoder_outputs: z.boolean().optional(),
  // Without one every T5 begins with its padding, by name the token 0.
  decoder_start_token_id: z.int().nonnegative().nullish(),
  pad_token_id: z.int().nonnegative().nullish(),
  n_positions: window,
  max_position_embeddings: window,
  n_ctx: window,
  ...plainFields,
});

/** The T5 that a config.json describes. */
export const t5Config: z.ZodType<T5> = fields.transform((config, context): T5 => {
  const refuse = (field: string, expected: string, found: unknown): never => {
    context.addIssue({
      code: "custom",
      path: [field],
      message: `expected ${expected}, found ${JSON.stringify(found)}`,
    });
    return z.NEVER;
  };
  for (const [other, name] of Object.entries(otherNames)) {
    const found = config[other] ?? config[name];
    if (found !== config[name]) return refuse(other, `${config[name]}, as ${name} has it`, found);
  }
  const { vocab_size: vocabulary, relative_attention_num_buckets: buckets } = config;
  const { relative_attention_max_distance: distance } = config;
  const start = config.decoder_start_token_id ?? config.pad_token_id ?? 0;
  if (start >= vocabulary)
    return refuse("decoder_start_token_id", `one of the ${vocabulary} embeddings, from 0 on`, start);
  // Where the logarithm of the first distance that shares a bucket must be less than that of the last.
  if (distance <= Math.floor(buckets / 2))
    return refuse("relative_attention_max_distance", `more than half of the ${buckets} buckets`, distance);
  const [first = "", second] = config.feed_forward_proj.split("-");
  const plain = second ?? first;
  return {
    vocab_size: vocabulary,
    d_model: config.d_model,
    d_kv: config.d_kv,
    d_ff: config.d_ff,
    num_layers: config.num_layers,
    num_decoder_layers: config.num_decoder_layers ?? config.num_layers,
    num_heads: config.num_heads,
    relative_attention_num_buckets: buckets,
    relative_attention_max_distance: distance,
    layer_norm_epsilon: config.layer_norm_epsilon,
    // The first files say gated-gelu and mean its tanh form.
    dense_act_fn:
      config.dense_act_fn ?? (config.feed_forward_proj === "gated-gelu" ? "gelu_new" : (plain as T5["dense_act_fn"])),
    is_gated_act: config.is_gated_act ?? second !== undefined,
    // Version 5 of transformers writes that embeddings are tied whether they are or not.
    scale_decoder_outputs: config.scale_decoder_outputs ?? config.tie_word_embeddings !== false,
    decoder_start_token_id: start,
    n_positions: config.n_positions ?? config.max_position_embeddings ?? config.n_ctx ?? 512,
  };
});
