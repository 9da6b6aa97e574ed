import type { Shape } from "../tensor/dtype.ts";
import type { DeviceDtype } from "./device-tensor.ts";

/** What is known of an expression before it is computed. */
export interface Typed {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
}

/** Throws where an operand is not what an operation takes. */
export function expect(holds: boolean, op: string, expected: string, found: Typed): void {
  if (!holds) throw new Error(`${op}: expected ${expected}, found ${found.dtype} [${found.shape.join(", ")}]`);
}
