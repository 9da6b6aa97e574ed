/** How ggml numbers types, and writes shapes. */
import type { Shape } from "../../tensor/dtype.ts";
import type { DeviceDtype } from "../device.ts";

/** ggml's type numbers (enum ggml_type). */
export const typeNumber: Readonly<Record<DeviceDtype, number>> = { f32: 0, f16: 1, i32: 26, bf16: 30 };

/** The four sizes of a ggml tensor for a shape of at most four dimensions. */
export function innermostFirst(shape: Shape): [number, number, number, number] {
  if (shape.length > 4) throw new Error(`ggml: expected at most 4 dimensions, found [${shape.join(", ")}]`);
  const [n0 = 1, n1 = 1, n2 = 1, n3 = 1] = shape.toReversed();
  return [n0, n1, n2, n3];
}
