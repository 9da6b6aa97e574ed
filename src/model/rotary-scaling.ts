/** How frequencies of rotary positions are scaled for longer contexts, as `modeling_rope_utils.py` of transformers does. */
import type { Scaling } from "./rotary.ts";

type Llama3 = Extract<Scaling, { rope_type: "llama3" }>;
type Yarn = Extract<Scaling, { rope_type: "yarn" }>;

/** What is scaled, and lengths in tokens. */
export interface RotarySetting {
  readonly base: number;
  /** Elements of a head that turn. */
  readonly width: number;
  /** The longest sequence. */
  readonly context: number;
  /** That of the training before scaling. */
  readonly original: number;
}

/** Radians a position of a pair of elements, in sequences no longer than the context; `isLong`: than the original one. */
export function scaledFrequency(
  options: Scaling,
  pair: number,
  setting: RotarySetting & { readonly isLong: boolean },
): number {
  // The exponent is f32 in transformers, which far positions show where heads are not as wide as a power of two.
  const frequency = setting.base ** -Math.fround((2 * pair) / setting.width);
  switch (options.rope_type) {
    case "default":
    case "dynamic":
      return frequency;
    case "linear":
      return frequency / options.factor;
    case "llama3":
      return scaleLlama3(frequency, options, setting);
    case "yarn":
      return scaleYarn(frequency, pair, options, setting);
    case "longrope":
      return frequency / ((setting.isLong ? options.long_factor : options.short_factor)[pair] ?? NaN);
    default:
      return options satisfies never;
  }
}

/** What the cosines and sines are multiplied by: for queries and keys, so that the scores of attention have its square. */
export function attentionFactor(options: Scaling, { context, original }: RotarySetting): number {
  if (options.rope_type !== "yarn" && options.rope_type !== "longrope") return 1;
  if (options.attention_factor) return options.attention_factor;
  const factor = options.factor ?? context / original;
  if (factor <= 1) return 1;
  // LongRoPE, arXiv:2402.13753.
  if (options.rope_type === "longrope") return Math.sqrt(1 + Math.log(factor) / Math.log(original));
  const { mscale, mscale_all_dim: whole } = options;
  return mscale && whole ? grownBy(factor, mscale) / grownBy(factor, whole) : grownBy(factor, 1);
}

/** YaRN, arXiv:2309.00071, equation 22. */
function grownBy(factor: number, scale: number): number {
  return 0.1 * scale * Math.log(factor) + 1;
}

/** Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function scaleLlama3(frequency: number, { factor, ...options }: Llama3, { original }: RotarySetting): number {
  const { low_freq_factor: low, high_freq_factor: high } = options;
  const turns = (original * frequency) / (2 * Math.PI);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** YaRN, section 3.2: pairs that turn often within the original context are kept, those that turn seldom stretched. */
function scaleYarn(frequency: number, pair: number, options: Yarn, setting: RotarySetting): number {
  const { base, width, context, original } = setting;
  const pairOf = (turns: number): number => (width * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [first, last] = [pairOf(options.beta_fast || 32), pairOf(options.beta_slow || 1)];
  const low = Math.max(options.truncate ? Math.floor(first) : first, 0);
  const end = Math.min(options.truncate ? Math.ceil(last) : last, width - 1);
  const high = end === low ? end + 0.001 : end;
  const stretched = Math.min(Math.max((pair - low) / (high - low), 0), 1);
  const factor = options.factor ?? context / original;
  return (frequency / factor) * stretched + frequency * (1 - stretched);
}
