/** Rotary position embedding, from the fields of config.json. RoFormer, arXiv:2104.09864, section 3.4.2. */
import { z } from "zod";
import { isJsonObject } from "../files/json-object.ts";
import { attentionFactor, scaledFrequency } from "./rotary-scaling.ts";

const positive = z.number().positive();
const factors = z.array(positive);
const common = { rope_theta: positive.optional(), partial_rotary_factor: positive.max(1).optional() };
const length = { original_max_position_embeddings: positive.optional() };

/** What each way of scaling cannot do without, and what has a default. */
const scalings = [
  z.looseObject({ ...common, rope_type: z.literal("default") }),
  z.looseObject({ ...common, rope_type: z.literal("linear"), factor: positive }),
  z.looseObject({ ...common, rope_type: z.literal("dynamic"), factor: positive }),
  z.looseObject({
    ...common,
    ...length,
    rope_type: z.literal("llama3"),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
  }),
  z.looseObject({
    ...common,
    ...length,
    rope_type: z.literal("yarn"),
    factor: positive.nullable(),
    attention_factor: positive.nullish(),
    beta_fast: positive.nullish(),
    beta_slow: positive.nullish(),
    mscale: z.number().nonnegative().nullish(),
    mscale_all_dim: z.number().nonnegative().nullish(),
    truncate: z.boolean().nullable().default(true),
  }),
  z.looseObject({
    ...common,
    ...length,
    rope_type: z.literal("longrope"),
    factor: positive.nullish(),
    attention_factor: positive.nullish(),
    short_factor: factors,
    long_factor: factors,
  }),
] as const;

const type = z.enum(["default", "linear", "dynamic", "llama3", "yarn", "longrope"]).optional();

/** Older files write `type` for `rope_type`, or beside one that is null. */
const scaling = z
  .preprocess(withoutNull, z.looseObject({ rope_type: type, type }))
  .transform((fields) => ({ ...fields, rope_type: fields.rope_type ?? fields.type ?? "default" }))
  .pipe(z.discriminatedUnion("rope_type", scalings));

export type Scaling = z.infer<typeof scaling>;

/**
 * Both spellings of config.json: transformers 4 (`rope_theta`, `rope_scaling`) and 5 (`rope_parameters`). A `rope_theta`
 * that is null has no meaning but beside that of the other.
 */
export const rotaryFields = {
  rope_theta: positive.nullish(),
  rope_scaling: scaling.nullish(),
  rope_parameters: scaling.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  // Before that of the scaling.
  original_max_position_embeddings: positive.optional(),
};

export type RotaryFields = z.infer<z.ZodObject<typeof rotaryFields>> & { readonly max_position_embeddings: number };

/** The scaling that counts. */
export function rotaryOptions({ rope_scaling, rope_parameters }: Partial<RotaryFields>): Scaling {
  return rope_scaling ?? rope_parameters ?? { rope_type: "default" };
}

/** Elements of a head that turn: the first ones. */
function rotaryWidth(fields: RotaryFields, headWidth: number): number {
  return Math.floor(headWidth * (shareOf(fields) ?? 1));
}

function shareOf(fields: RotaryFields): number | null | undefined {
  return rotaryOptions(fields).partial_rotary_factor ?? fields.partial_rotary_factor;
}

/** The first field that cannot be honoured, if any: its path, what was expected there and what was found. */
export function rotaryFault(
  fields: RotaryFields,
  headWidth: number,
  turnsPart: boolean,
): [path: string, expected: string, found: unknown] | undefined {
  const options = rotaryOptions(fields);
  const where = fields.rope_scaling ? "rope_scaling" : "rope_parameters";
  const [share, width] = [shareOf(fields) ?? 1, rotaryWidth(fields, headWidth)];
  if (share !== 1 && !turnsPart) return ["partial_rotary_factor", "1, since whole heads turn in this family", share];
  if (width === 0 || width % 2 !== 0)
    return ["partial_rotary_factor", `a share of the ${headWidth} elements that is even`, width];
  if (fields.rope_theta === null && options.rope_theta === undefined) return ["rope_theta", "a number", "nothing"];
  for (const field of ["short_factor", "long_factor"]) {
    const factors = options.rope_type === "longrope" ? options[field] : undefined;
    if (Array.isArray(factors) && factors.length !== width / 2)
      return [`${where}.${field}`, `one number for each of the ${width / 2} pairs`, factors.length];
  }
  const { periods, factor, long } = rotaryOf(fields, headWidth);
  const odd = [...periods, ...(long?.periods ?? [])].find((period) => !(period > 0 && period < Infinity));
  if (odd !== undefined) return ["rope_theta", "periods that are numbers above 0 in f32", odd];
  if (!(factor > 0 && factor < Infinity)) return [where, "an attention factor above 0", factor];
  return undefined;
}

export interface Rotary {
  /** 1 / frequency of the pairs of elements that turn, f32 [width / 2]. */
  readonly periods: Float32Array;
  /** What the turned elements of queries and keys are multiplied by. */
  readonly factor: number;
  /** Those in sequences of more tokens than `above`, where they differ. */
  readonly long?: { readonly above: number; readonly periods: Float32Array };
}

/**
 * How the heads turn in sequences that are no longer than the model's context. `dynamic` begins to scale beyond it;
 * `longrope` has other factors beyond the context of the first training.
 */
export function rotaryOf(fields: RotaryFields, headWidth: number): Rotary {
  const width = rotaryWidth(fields, headWidth);
  const options = rotaryOptions(fields);
  const base = options.rope_theta ?? fields.rope_theta ?? 10_000;
  const { max_position_embeddings: context } = fields;
  const original =
    fields.original_max_position_embeddings ??
    ("original_max_position_embeddings" in options ? options.original_max_position_embeddings : undefined) ??
    context;
  const setting = { base, width, context, original: Number(original) };
  const periodsOf = (isLong: boolean): Float32Array =>
    Float32Array.from({ length: width / 2 }, (_, pair) => 1 / scaledFrequency(options, pair, { ...setting, isLong }));
  const hasLong = options.rope_type === "longrope" && context > setting.original;
  return {
    periods: periodsOf(false),
    factor: attentionFactor(options, setting),
    ...(hasLong && { long: { above: setting.original, periods: periodsOf(true) } }),
  };
}

function withoutNull(fields: unknown): unknown {
  if (!isJsonObject(fields) || fields["rope_type"] !== null || !("type" in fields)) return fields;
  const { rope_type: _, ...others } = fields;
  return others;
}
