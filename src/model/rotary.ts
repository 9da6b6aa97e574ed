/** Rotary position embedding: the period of every pair of elements, from the fields of config.json. */
import { z } from "zod";

const scaling = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.number().positive().optional(),
});

/** Both spellings of config.json: transformers 4 (`rope_theta`, `rope_scaling`) and 5 (`rope_parameters`). */
export const rotaryFields = {
  rope_theta: z.number().positive().optional(),
  rope_scaling: scaling.nullish(),
  rope_parameters: scaling.nullish(),
};

type RotaryConfig = z.infer<z.ZodObject<typeof rotaryFields>>;
type Scaling = z.infer<typeof scaling>;

/** Frequency (radians a position) after scaling, by `rope_type`. */
const scalings: Readonly<Record<string, (frequency: number, options: Scaling) => number>> = {
  default: (frequency) => frequency,
  linear: (frequency, { factor = 1 }) => frequency / factor,
  llama3: scaleLlama3,
};

/**
 * Periods 1 / frequency of the pairs of a head, f32 [width / 2]; `undefined` when the scaling type is not known.
 * RoFormer, arXiv:2104.09864, section 3.4.2.
 */
export function rotaryPeriods(config: RotaryConfig, width: number): Float32Array | undefined {
  const options = config.rope_parameters ?? config.rope_scaling ?? {};
  const theta = options.rope_theta ?? config.rope_theta ?? 10_000;
  const scale = scalings[options.rope_type ?? options.type ?? "default"];
  if (!scale) return undefined;
  return Float32Array.from({ length: width / 2 }, (_, i) => 1 / scale(theta ** ((-2 * i) / width), options));
}

/** Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function scaleLlama3(frequency: number, options: Scaling): number {
  const { factor = 8, low_freq_factor: low = 1, high_freq_factor: high = 4 } = options;
  const turns = ((options.original_max_position_embeddings ?? 8192) * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
