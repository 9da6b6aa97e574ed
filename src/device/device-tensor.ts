import type { Dtype, Shape } from "../tensor/dtype.ts";

/** Number formats on a device: those of weights, and integers for token ids and rows. */
export type DeviceDtype = Dtype | "i32";

/** The dtype of a tensor that can be stored in a checkpoint; integers cannot. */
export function storedDtype({ dtype }: { readonly dtype: DeviceDtype }): Dtype {
  if (dtype === "i32") throw new Error("expected a float tensor, found i32");
  return dtype;
}

/** A row-major tensor that lives on a device until it is freed. */
export interface DeviceTensor {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
}
