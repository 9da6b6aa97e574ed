/** Rotary position embedding: the period of every pair of elements, from the fields of config.json. */
import { z } from "zod";
import { isJsonObject } from "../files/json-object.ts";

const positive = z.number().positive();
const theta = { rope_theta: positive.optional() };
const type = z.enum(["default", "linear", "llama3"]).optional();

/** What each way of scaling cannot do without; older files write `type` for `rope_type`, or beside one that is null. */
const scaling = z
  .preprocess(withoutNull, z.looseObject({ rope_type: type, type }))
  .transform((fields) => ({ ...fields, rope_type: fields.rope_type ?? fields.type ?? "default" }))
  .pipe(
    z.discriminatedUnion("rope_type", [
      z.looseObject({ ...theta, rope_type: z.literal("default") }),
      z.looseObject({ ...theta, rope_type: z.literal("linear"), factor: positive }),
      z.looseObject({
        ...theta,
        rope_type: z.literal("llama3"),
        factor: positive,
        low_freq_factor: positive,
        high_freq_factor: positive,
        original_max_position_embeddings: positive,
      }),
    ]),
  );
type Scaling = z.infer<typeof scaling>;
type Llama3 = Extract<Scaling, { rope_type: "llama3" }>;

/**
 * Both spellings of config.json: transformers 4 (`rope_theta`, `rope_scaling`) and 5 (`rope_parameters`). A `rope_theta`
 * that is null has no meaning but beside that of the other.
 */
export const rotaryFields = {
  rope_theta: positive.nullish(),
  rope_scaling: scaling.nullish(),
  rope_parameters: scaling.nullish(),
};

type RotaryFields = z.infer<z.ZodObject<typeof rotaryFields>>;

/** The scaling that counts. */
export function rotaryOptions({ rope_scaling, rope_parameters }: RotaryFields): Scaling {
  return rope_scaling ?? rope_parameters ?? { rope_type: "default" };
}

/** Periods 1 / frequency of the pairs of a head, f32 [width / 2]. RoFormer, arXiv:2104.09864, section 3.4.2. */
export function rotaryPeriods(config: RotaryFields, width: number): Float32Array {
  const options = rotaryOptions(config);
  const base = options.rope_theta ?? config.rope_theta ?? 10_000;
  return Float32Array.from({ length: width / 2 }, (_, i) => 1 / scale(base ** ((-2 * i) / width), options));
}

function withoutNull(fields: unknown): unknown {
  if (!isJsonObject(fields) || fields["rope_type"] !== null || !("type" in fields)) return fields;
  const { rope_type: _, ...others } = fields;
  return others;
}

/** Frequency (radians a position) after scaling. */
function scale(frequency: number, options: Scaling): number {
  switch (options.rope_type) {
    case "default":
      return frequency;
    case "linear":
      return frequency / options.factor;
    case "llama3":
      return scaleLlama3(frequency, options);
    default:
      return options satisfies never;
  }
}

/** Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function scaleLlama3(frequency: number, { factor, ...options }: Llama3): number {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = options;
  const turns = (length * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
