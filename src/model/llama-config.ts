/**
 * The fields of config.json that the forward pass honours; values that it cannot honour do not pass. The sizes of weights
 * must be there; any other field that is left out has the default of transformers.
 */
import { z, type ZodType } from "zod";
import { rotaryFields, rotaryOptions, rotaryPeriods } from "./rotary.ts";

/** Sizes are bounded far above every model, so that what follows from them is small before weights are looked at. */
const size = (most: number): z.ZodInt => z.int().positive().max(most);
const heads = size(2 ** 14);
const positions = size(2 ** 40);

const commonFields = z.looseObject({
  vocab_size: size(2 ** 24),
  hidden_size: size(2 ** 20),
  intermediate_size: size(2 ** 22),
  num_hidden_layers: size(2 ** 12),
  num_attention_heads: heads,
  head_dim: size(2 ** 16).nullish(),
  rms_norm_eps: z.number().nonnegative().max(1).default(1e-6),
  hidden_act: z.literal("silu").default("silu"),
  // Null is false to transformers 4, and so is what is left out.
  tie_word_embeddings: z
    .boolean()
    .nullish()
    .transform((tied) => tied ?? false),
  attention_bias: z.literal(false).nullish(),
  mlp_bias: z.literal(false).nullish(),
  ...rotaryFields,
});

const llamaFields = commonFields.extend({
  max_position_embeddings: positions.default(2048),
  num_key_value_heads: heads.nullish(),
  // Some Llamas name a window; their attention has none.
  sliding_window: z.null().catch(null),
});

const mistralFields = commonFields.extend({
  max_position_embeddings: positions.default(131_072),
  num_key_value_heads: heads.nullable().default(8),
  sliding_window: positions.nullable().default(4096),
});

type Fields = z.infer<typeof llamaFields> | z.infer<typeof mistralFields>;

/** The fields and what follows from them. */
export type LlamaConfig = Fields & {
  readonly kvHeads: number;
  /** Elements of a head. */
  readonly width: number;
  readonly periods: Float32Array;
};

/** config.json of `model_type` llama. */
export const llamaConfig: ZodType<LlamaConfig> = llamaFields.transform(complete);

/** config.json of `model_type` mistral. */
export const mistralConfig: ZodType<LlamaConfig> = mistralFields.transform(complete);

function complete(config: Fields, context: z.RefinementCtx): LlamaConfig {
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  const kvHeads = config.num_key_value_heads ?? heads;
  const width = config.head_dim ?? Math.floor(hidden / heads);
  const disagree = (field: string, expected: string, found: number | string): never => {
    context.addIssue({ code: "custom", path: [field], message: `expected ${expected}, found ${found}` });
    return z.NEVER;
  };
  if (heads % kvHeads !== 0) return disagree("num_key_value_heads", `a divisor of the ${heads} heads`, kvHeads);
  if (width === 0 || width % 2 !== 0) return disagree("head_dim", "an even number of elements", width);
  if (config.rope_theta === null && rotaryOptions(config).rope_theta === undefined)
    return disagree("rope_theta", "a number", "nothing");
  const periods = rotaryPeriods(config, width);
  const odd = periods.find((period) => !(period > 0 && period < Infinity));
  if (odd !== undefined) return disagree("rope_theta", "periods that are numbers above 0 in f32", odd);
  return { ...config, kvHeads, width, periods };
}
