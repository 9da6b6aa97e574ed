/**
 * What is read of the config.json of a decoder. Every field that changes the result is honoured; values that cannot be do
 * not pass. The sizes of weights must be there; any other field that is left out has the default of transformers.
 */
import { z } from "zod";
import { plainFields } from "./plain-fields.ts";
import { rotaryFault, rotaryFields, rotaryOf } from "./rotary.ts";

/** The products of a layer, by the roles of their weights. */
export type DecoderProduct = "query" | "key" | "value" | "output" | "gate" | "up" | "down";

/** A decoder as data, by the names of config.json where it has some. All of it but the context decides what models merge. */
export interface Decoder {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  /** Elements of a head. */
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly tie_word_embeddings: boolean;
  readonly max_position_embeddings: number;
  /** Tokens that a layer's attention sees, itself included, for each layer. */
  readonly windows: readonly number[];
  /** The products that have a bias. */
  readonly biases: readonly DecoderProduct[];
  /** Of the pairs of a head's elements that turn. */
  readonly periods: Float32Array;
  /** What the turned elements of queries and keys are multiplied by. */
  readonly rotary_factor: number;
  /** In sequences of more tokens than `above`, where they differ there. */
  readonly long_periods?: {
    readonly above: number;
    readonly periods: Float32Array;
    readonly rereadsGrownTexts: boolean;
  };
  /** What the gate of the MLP goes through; gelu is exact. */
  readonly hidden_act: "silu" | "gelu" | "gelu_pytorch_tanh";
  /** The embedding is multiplied by it. */
  readonly embedding_factor: number;
  /** What is added to the weights of norms. */
  readonly norm_offset: number;
  /** Whether norms stand behind attention and MLP too, not only before them. */
  readonly has_norms_behind: boolean;
  /** Whether the weights of what attention reads are one, and those of gate and up. */
  readonly has_joined_products: boolean;
  /** Attention scores are divided by its square root. */
  readonly query_pre_attn_scalar: number;
  /** Soft caps, where there are any. */
  readonly attn_logit_softcapping: number | null;
  readonly final_logit_softcapping: number | null;
}

/** Sizes are bounded far above every model, so that what follows from them is small before weights are looked at. */
const size = (most: number): z.ZodInt => z.int().positive().max(most);
export const headCount: z.ZodInt = size(2 ** 14);
export const headWidth: z.ZodInt = size(2 ** 16);
export const positionCount: z.ZodInt = size(2 ** 40);

/** Of every family. */
const sharedFields = z.looseObject({
  vocab_size: size(2 ** 24),
  hidden_size: size(2 ** 20),
  intermediate_size: size(2 ** 22),
  num_hidden_layers: size(2 ** 12),
  num_attention_heads: headCount,
  head_dim: headWidth.nullish(),
  rms_norm_eps: z.number().nonnegative().max(1).default(1e-6),
  // Null is false to transformers 4, and so is what is left out.
  tie_word_embeddings: z
    .boolean()
    .nullish()
    .transform((tied) => tied ?? false),
  is_encoder_decoder: z.literal(false).nullish(),
  ...plainFields,
  ...rotaryFields,
});

/** What most families read alike; each adds the fields whose defaults are its own. */
export const decoderFields = sharedFields.extend({ hidden_act: z.literal("silu").default("silu") });

/** For families whose products have no biases, whatever their config.json says. */
export const withoutBiases = { attention_bias: z.literal(false).nullish(), mlp_bias: z.literal(false).nullish() };

type DecoderFields = z.infer<typeof sharedFields> & {
  readonly num_key_value_heads?: number | null | undefined;
  readonly max_position_embeddings: number;
};

/** What most families have in common. */
const usual = {
  hidden_act: "silu",
  embedding_factor: 1,
  norm_offset: 0,
  has_norms_behind: false,
  has_joined_products: false,
  attn_logit_softcapping: null,
  final_logit_softcapping: null,
} satisfies Partial<Decoder>;

/** What is a family's own. */
export type FamilyChoices = Pick<Decoder, "windows" | "biases"> &
  Partial<Pick<Decoder, keyof typeof usual | "query_pre_attn_scalar">> & {
    /** Whether it honours a `partial_rotary_factor`. */
    readonly turnsPart?: boolean;
    /** Whether a text that grows above the length of `long_periods` is read anew. */
    readonly rereadsGrownTexts?: boolean;
  };

/** The decoder that the fields describe. */
export function decoderOf(fields: DecoderFields, choices: FamilyChoices, context: z.RefinementCtx): Decoder {
  const { turnsPart = false, rereadsGrownTexts = false, ...own } = choices;
  const { hidden_size: hidden, num_attention_heads: heads } = fields;
  const kvHeads = fields.num_key_value_heads ?? heads;
  const width = fields.head_dim ?? Math.floor(hidden / heads);
  const disagree = (field: string, expected: string, found: unknown): never => {
    context.addIssue({
      code: "custom",
      path: field.split("."),
      message: `expected ${expected}, found ${String(found)}`,
    });
    return z.NEVER;
  };
  if (heads % kvHeads !== 0) return disagree("num_key_value_heads", `a divisor of the ${heads} heads`, kvHeads);
  if (width === 0 || width % 2 !== 0) return disagree("head_dim", "an even number of elements", width);
  const fault = rotaryFault(fields, width, turnsPart);
  if (fault) return disagree(...fault);
  const { periods, factor, long } = rotaryOf(fields, width);
  return {
    vocab_size: fields.vocab_size,
    hidden_size: hidden,
    intermediate_size: fields.intermediate_size,
    num_hidden_layers: fields.num_hidden_layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: width,
    rms_norm_eps: fields.rms_norm_eps,
    tie_word_embeddings: fields.tie_word_embeddings,
    max_position_embeddings: fields.max_position_embeddings,
    periods,
    rotary_factor: factor,
    ...(long && { long_periods: { ...long, rereadsGrownTexts } }),
    query_pre_attn_scalar: width,
    ...usual,
    ...own,
  };
}

/** The same window in every layer; none where it is null. */
export function sameWindow({ num_hidden_layers }: DecoderFields, window: number | null): number[] {
  return Array.from({ length: num_hidden_layers }, () => window ?? Infinity);
}
