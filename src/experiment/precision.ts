/** In which format matrix products are computed: of what steers the search, and of what is compared and shipped. */
import type { Device } from "../device/device.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Precision } from "./experiment.ts";

/** A precision that leaves nothing open. */
export type ResolvedPrecision = Exclude<Precision, "auto">;

export interface ProductDtypes {
  /** Of baselines on all rows, finalists, guard rows, exports and `score`. */
  readonly exact: Dtype;
  /** Of what only steers the search. */
  readonly signal: Dtype;
}

/**
 * What `auto` is on a device: bf16 on a GPU; on a CPU that multiplies bf16 faster than f32, bf16 for the search alone; else
 * f32.
 */
export function resolvePrecision(
  wanted: Precision,
  device: Pick<Device, "kind" | "fastestProducts">,
): ResolvedPrecision {
  if (wanted !== "auto") return wanted;
  if (device.kind === "gpu") return "bf16";
  return device.fastestProducts === "bf16" ? "mixed" : "f32";
}

export function productDtypes(precision: ResolvedPrecision): ProductDtypes {
  return precision === "mixed" ? { exact: "f32", signal: "bf16" } : { exact: precision, signal: precision };
}

/** A precision for people. */
export function describePrecision(precision: ResolvedPrecision): string {
  return precision === "mixed" ? "bf16 while searching, else f32" : precision;
}
