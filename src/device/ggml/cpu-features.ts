/**
 * Whether ggml's code for this CPU multiplies bf16 faster than f32: where it was built for AVX-512's dot product of bf16 pairs
 * (bench/RESULTS.md). Of ARM's instructions for bf16 ggml tells nothing, and nothing was measured there.
 */
export function multipliesBf16(features: ReadonlyMap<string, string>): boolean {
  return features.get("AVX512_BF16") === "1";
}
