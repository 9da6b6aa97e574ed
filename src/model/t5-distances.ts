/** Buckets of relative positions (T5, arXiv:1910.10683, section 2.1): near distances each have one, farther ones share. */
import { ln } from "../tensor/elementary.ts";

/** How buckets are dealt. */
interface Buckets {
  readonly buckets: number;
  /** From here on all share the last. */
  readonly farthest: number;
}

/** For attention to both sides: one half of the buckets for what stands before, the other for what stands behind. */
export function bucketOfEither({ buckets, farthest }: Buckets, distance: number): number {
  const half = Math.floor(buckets / 2);
  return (distance > 0 ? half : 0) + bucketOf({ buckets: half, farthest }, Math.abs(distance));
}

/** For attention to what stands before. */
export function bucketBefore(options: Buckets, distance: number): number {
  return bucketOf(options, Math.max(0, -distance));
}

/** Logarithms in f32, as in transformers: which of two buckets a distance is in may hang on the last bit. */
function bucketOf({ buckets, farthest }: Buckets, distance: number): number {
  const single = Math.floor(buckets / 2);
  if (distance < single) return distance;
  const { fround } = Math;
  const along = fround(fround(ln(fround(distance / single))) / fround(ln(farthest / single)));
  return Math.min(buckets - 1, single + Math.trunc(fround(along * (buckets - single))));
}
